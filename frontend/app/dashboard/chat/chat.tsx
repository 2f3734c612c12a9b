"use client";

import { ChatKit, useChatKit, type UseChatKitOptions } from "@openai/chatkit-react";
import { LoaderCircle, TriangleAlert } from "lucide-react";
import { useTheme } from "next-themes";
import { useRouter, useSearchParams } from "next/navigation";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { apiFetch, toSignIn } from "@/lib/api-fetch";
import { clientTool } from "@/lib/client-tools";
import { chatPath, conversationIn, rememberConversation } from "@/lib/conversation";
import { apiToken, chatSecret } from "@/lib/credentials";
import { keepDraft, takeDraft } from "@/lib/drafts";
import { loadChatKit, type ChatKitSource } from "@/lib/load-chatkit";
import { useMenus } from "@/lib/menus";
import { anotherIsSignedIn } from "@/lib/session-watch";
import { showTask, taskAnchor, taskTags } from "@/lib/tags";
import { tasksMayHaveChanged } from "@/lib/tasks";

const API = "/api/chatbridge/chatkit";

const APPEARANCE = {
  frameTitle: "Chat",
  header: { enabled: true },
  history: { enabled: true, showDelete: true, showRename: true },
  threadItemActions: { feedback: true, retry: true },
  startScreen: {
    greeting: "What is to be done?",
    prompts: [
      { label: "Add a task: buy oat milk", prompt: "Add a task: buy oat milk", icon: "plus" },
      { label: "Show my tasks", prompt: "What are my tasks?", icon: "notebook" },
      { label: "Finish task 1", prompt: "Mark task 1 as done", icon: "check-circle" },
    ],
  },
  composer: { placeholder: "Write a message" },
  disclaimer: { text: "The assistant can make mistakes." },
} satisfies Partial<UseChatKitOptions>;

// the colours of the page around it
const SURFACES = {
  light: { background: "#ffffff", foreground: "#0b0d0c" },
  dark: { background: "#0b0d0c", foreground: "#f4f6f5" },
};

// what is being written and attached must not be lost by a search, nor by a look at a tag
const stay = () => {};

type Loaded = ChatKitSource | "loading" | "failed";

/** `domainKey`: OpenAI's element is wanted. `sessions`: the chat goes by chat sessions. */
export type ChatProps = { userId: string; domainKey: string | null; sessions: boolean };

/** ChatKit, once its element is there. */
export function Chat(props: ChatProps) {
  const { domainKey } = props;
  const [loaded, setLoaded] = useState<Loaded>("loading");

  const load = useCallback(() => {
    setLoaded("loading");
    loadChatKit(domainKey !== null).then(setLoaded, () => setLoaded("failed"));
  }, [domainKey]);
  useEffect(load, [load]);

  if (loaded === "loading") return <Loading />;
  if (loaded === "failed") return <Failed retry={load} />;
  return (
    <div data-chatkit-source={loaded} className="h-full min-h-0">
      <Conversations {...props} hosted={loaded === "hosted"} />
    </div>
  );
}

function Conversations({ userId, domainKey, sessions, hosted }: ChatProps & { hosted: boolean }) {
  const { resolvedTheme, setTheme } = useTheme();
  const named = conversationIn(useSearchParams());
  const colorScheme = resolvedTheme === "dark" ? "dark" : "light";
  const [initialThread] = useState(named);
  const credential = sessions ? chatSecret : apiToken;
  const menus = useMenus(userId, credential);
  const open = useRef(named);
  const opening = useRef<string | null>(null);
  const fetchAsUser = useMemo(
    () =>
      apiFetch({
        userId,
        credential,
        signedOut: (body) => {
          if (hosted) keepDraft(userId, body);
          toSignIn();
        },
        another: anotherIsSignedIn,
      }),
    [userId, credential, hosted],
  );
  const router = useRouter();
  const entities = useMemo(() => {
    // a chat session opens the chat alone
    const asks = { userId, credential: apiToken, signedOut: stay, another: anotherIsSignedIn };
    return taskTags(userId, apiFetch(asks), (number) => {
      const anchor = taskAnchor(number);
      if (!showTask(anchor)) router.push(`/dashboard#${anchor}`);
    });
  }, [userId, router]);

  const { control, setThreadId, setComposerValue, focusComposer } = useChatKit({
    ...APPEARANCE,
    api: {
      url: API,
      domainKey: domainKey ?? "local",
      fetch: fetchAsUser,
      uploadStrategy: { type: "two_phase" },
    },
    initialThread,
    // OpenAI's element would bring files from its own origin
    composer: { ...APPEARANCE.composer, ...menus, attachments: { enabled: !hosted } },
    theme: {
      colorScheme,
      radius: "round",
      color: { accent: { primary: "#0FFF50", level: 1 }, surface: SURFACES[colorScheme] },
      typography: { baseSize: 15, fontFamily: '"Geist Variable", ui-sans-serif, sans-serif' },
    },
    entities,
    onClientTool: (called) => clientTool(called, setTheme),
    onThreadLoadStart: ({ threadId }) => {
      opening.current = threadId;
    },
    onThreadLoadEnd: () => {
      opening.current = null;
    },
    onThreadChange: ({ threadId }) => {
      // what the person has chosen is a step of the browser's history
      const chosen = threadId === opening.current && threadId !== open.current;
      open.current = threadId;
      rememberConversation(threadId);
      window.history[chosen ? "pushState" : "replaceState"](null, "", chatPath(threadId));
    },
    onReady: () => {
      const draft = hosted && takeDraft(userId);
      if (draft) void setComposerValue({ text: draft });
      if (window.matchMedia("(pointer: fine) and (min-width: 40rem)").matches) void focusComposer();
    },
    // a tool's badge is a widget, done when the tool is; a list of tasks changes with each click
    onLog: ({ name, data }) => {
      if (/^thread\.item\.(done|replaced)$/.test(name) && data?.type === "widget")
        tasksMayHaveChanged();
    },
    onResponseEnd: tasksMayHaveChanged,
    // ours says it in the chat, and on the console what its page has to mend
    onError: ({ error }) => hosted && console.error(error),
  });

  // the address changes by itself too: back, forward, a link
  useEffect(() => {
    if (named === open.current) return;
    open.current = named;
    void setThreadId(named);
  }, [named, setThreadId]);

  return <ChatKit control={control} data-user={userId} className="block h-full w-full" />;
}

function Loading() {
  return (
    <div role="status" className="grid h-full place-items-center text-muted-foreground">
      <LoaderCircle className="size-5 animate-spin" aria-hidden="true" />
      <span className="sr-only">Loading the chat</span>
    </div>
  );
}

function Failed({ retry }: { retry: () => void }) {
  return (
    <div className="grid h-full place-items-center p-4">
      <Alert variant="destructive" className="items-center">
        <TriangleAlert />
        <p className="flex-1">The chat can&rsquo;t be loaded.</p>
        <Button variant="outline" size="sm" className="text-foreground" onClick={retry}>
          Retry
        </Button>
      </Alert>
    </div>
  );
}
