"use client";

import { summary, TaskList } from "@/components/task-list";
import { useTasks } from "@/lib/tasks";
import { Chat, type ChatProps } from "./chat";

// what is being written here must not be lost: the chat goes to the sign-in when it is sent
const stay = () => {};

/** The chat, with the tasks beside it where there is room. */
export function ChatPage(props: ChatProps) {
  return (
    <div className="grid min-h-0 xl:grid-cols-[minmax(0,1fr)_20rem] print:block">
      <main className="min-h-0 min-w-0">
        <h1 className="sr-only">Chat</h1>
        <Chat {...props} />
      </main>
      <Aside userId={props.userId} />
    </div>
  );
}

function Aside({ userId }: { userId: string }) {
  const found = useTasks(userId, stay);
  return (
    <aside
      aria-labelledby="tasks-beside"
      className="hidden min-h-0 overflow-y-auto border-l bg-muted px-5 py-5 xl:block print:hidden"
    >
      <div className="flex items-baseline justify-between gap-3 pb-2">
        <h2 id="tasks-beside" className="text-sm font-semibold">
          Tasks
        </h2>
        <p aria-live="polite" className="text-xs text-muted-foreground">
          {summary(found.tasks)}
        </p>
      </div>
      <TaskList
        {...found}
        empty={<p className="py-2 text-sm text-muted-foreground">None yet: ask for one.</p>}
      />
    </aside>
  );
}
