"use client";

import { CircleAlert, LoaderCircle, LogIn } from "lucide-react";
import { useId, useRef, useState, useSyncExternalStore, type FormEvent } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { signIn, signUp, type Refusal } from "@/lib/sign-in";

type Mode = "sign-in" | "sign-up";

const WORDS = {
  "sign-in": {
    title: "Sign in",
    lead: "To your conversations and tasks.",
    submit: "Sign in",
    question: "No account yet?",
    other: "Create an account",
  },
  "sign-up": {
    title: "Create your account",
    lead: "Your conversations and tasks are kept for you alone.",
    submit: "Create account",
    question: "Have an account?",
    other: "Sign in",
  },
};

/** Sign-in and sign-up in one form. `next`: the path to go to afterwards. */
export function LoginForm({ next, expired }: { next: string; expired: boolean }) {
  const [mode, setMode] = useState<Mode>("sign-in");
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const ready = useHydrated();
  const form = useRef<HTMLFormElement>(null);
  const words = WORDS[mode];

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const [name, email, password] = ["name", "email", "password"].map((field) =>
      String(data.get(field) ?? ""),
    ) as [string, string, string];
    setBusy(true);
    setRefusal(null);
    const refused =
      mode === "sign-in"
        ? await signIn({ email, password })
        : await signUp({ name, email, password });
    if (!refused) return window.location.assign(next);
    setBusy(false);
    setRefusal(refused);
    if (refused.field) form.current?.querySelector<HTMLElement>(`#${refused.field}`)?.focus();
  }

  function switchMode() {
    setMode(mode === "sign-in" ? "sign-up" : "sign-in");
    setRefusal(null);
  }

  return (
    <Card className="p-6 sm:p-7">
      <h1 className="text-xl font-semibold tracking-tight">{words.title}</h1>
      <p className="mt-1.5 text-sm text-muted-foreground">{words.lead}</p>
      {expired && !refusal && (
        <Alert className="mt-5">
          <LogIn />
          <p>Your session has ended. Sign in again; a message you had sent is kept.</p>
        </Alert>
      )}
      {/* POST: without script nothing that was typed gets into an address */}
      <form
        ref={form}
        method="post"
        noValidate
        aria-busy={busy}
        onSubmit={submit}
        className="mt-6 grid gap-4"
      >
        {mode === "sign-up" && (
          <Field label="Name" name="name" type="text" autoComplete="name" refusal={refusal} />
        )}
        <Field label="Email" name="email" type="email" autoComplete="username" refusal={refusal} />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete={mode === "sign-in" ? "current-password" : "new-password"}
          hint={mode === "sign-up" ? "8 characters or more." : undefined}
          refusal={refusal}
        />
        {refusal && !refusal.field && (
          <Alert variant="destructive">
            <CircleAlert />
            <p>{refusal.message}</p>
          </Alert>
        )}
        <Button type="submit" disabled={busy || !ready} className="mt-1 h-10">
          {busy && <LoaderCircle className="animate-spin" />}
          {words.submit}
        </Button>
      </form>
      <p className="mt-6 text-sm text-muted-foreground">
        {words.question}{" "}
        <Button variant="link" size="text" className="text-foreground" onClick={switchMode}>
          {words.other}
        </Button>
      </p>
    </Card>
  );
}

function Field({
  label,
  name,
  type,
  autoComplete,
  hint,
  refusal,
}: {
  label: string;
  name: NonNullable<Refusal["field"]>;
  type: string;
  autoComplete: string;
  hint?: string;
  refusal: Refusal | null;
}) {
  const note = useId();
  const wrong = refusal?.field === name ? refusal.message : undefined;
  return (
    <div className="grid gap-2">
      <Label htmlFor={name}>{label}</Label>
      <Input
        id={name}
        name={name}
        type={type}
        autoComplete={autoComplete}
        required
        aria-invalid={wrong !== undefined}
        aria-describedby={wrong || hint ? note : undefined}
      />
      {wrong ? (
        <p id={note} role="alert" className="text-sm text-destructive">
          {wrong}
        </p>
      ) : (
        hint && (
          <p id={note} className="text-sm text-muted-foreground">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

/** Whether the page listens yet: a form that is sent before that would only load it again. */
function useHydrated(): boolean {
  return useSyncExternalStore(
    () => () => {},
    () => true,
    () => false,
  );
}
