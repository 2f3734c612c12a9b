"use client";

import { ListTodo } from "lucide-react";
import Link from "next/link";
import { summary, TaskList } from "@/components/task-list";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { toSignIn } from "@/lib/api-fetch";
import { chatPath, useLastConversation } from "@/lib/conversation";
import { useTasks } from "@/lib/tasks";

/** Everything that the assistant has been asked to keep. */
export function TasksPage({ userId }: { userId: string }) {
  const found = useTasks(userId, toSignIn);
  return (
    <main className="overflow-y-auto">
      <div className="mx-auto w-full max-w-2xl px-4 py-8 sm:py-12">
        <div className="flex items-baseline gap-3">
          <h1 className="text-xl font-semibold tracking-tight">Tasks</h1>
          <p aria-live="polite" className="text-sm text-muted-foreground">
            {summary(found.tasks)}
          </p>
        </div>
        <Card className="mt-5 px-4 py-1 sm:px-5">
          <TaskList {...found} empty={<Empty />} />
        </Card>
      </div>
    </main>
  );
}

function Empty() {
  const last = useLastConversation();
  return (
    <div className="flex flex-col items-center gap-1.5 px-4 py-12 text-center">
      <ListTodo className="mb-2 size-6 text-muted-foreground" aria-hidden="true" />
      <p className="text-sm font-medium">No tasks yet</p>
      <p className="text-sm text-muted-foreground">Tell the assistant what is to be done.</p>
      <Button asChild className="mt-4">
        <Link href={chatPath(last)}>Add one in the chat</Link>
      </Button>
    </div>
  );
}
