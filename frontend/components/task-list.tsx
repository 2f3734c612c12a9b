"use client";

import { Circle, CircleCheck, RotateCw, TriangleAlert } from "lucide-react";
import { useEffect, type ReactNode } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { showTask, taskAnchor } from "@/lib/tags";
import type { Task, Tasks } from "@/lib/tasks";

/** The tasks in their states; `empty` is shown when there are none. */
export function TaskList({ tasks, failed, refresh, empty }: Tasks & { empty: ReactNode }) {
  const there = tasks !== null;
  // the address may name one, and they come later than the page
  useEffect(() => {
    if (there) showTask(window.location.hash.slice(1));
  }, [there]);
  return (
    <div>
      {failed && (
        <Alert variant="destructive" className="mt-3 items-center last:mb-3">
          <TriangleAlert />
          <p className="flex-1">The tasks can&rsquo;t be read.</p>
          <Button variant="outline" size="sm" className="text-foreground" onClick={refresh}>
            <RotateCw /> Retry
          </Button>
        </Alert>
      )}
      {tasks ? tasks.length > 0 ? <Listed tasks={tasks} /> : empty : !failed && <Loading />}
    </div>
  );
}

/** How many there are of which kind, in words. */
export function summary(tasks: Task[] | null): string {
  if (!tasks || tasks.length === 0) return "";
  const done = tasks.filter((task) => task.done).length;
  return `${tasks.length - done} open, ${done} done`;
}

function Listed({ tasks }: { tasks: Task[] }) {
  return (
    <ul aria-label="Tasks" className="divide-y">
      {[...tasks.filter((task) => !task.done), ...tasks.filter((task) => task.done)].map((task) => (
        <Line key={task.number} task={task} />
      ))}
    </ul>
  );
}

function Line({ task }: { task: Task }) {
  const Icon = task.done ? CircleCheck : Circle;
  return (
    <li
      id={taskAnchor(task.number)}
      tabIndex={-1}
      data-task={task.number}
      data-done={task.done}
      className="-mx-2 flex items-start gap-3 rounded-sm px-2 py-3 outline-none focus:bg-accent"
    >
      <Icon
        role="img"
        aria-label={task.done ? "Done" : "Open"}
        className={cn(
          "mt-0.5 size-4 shrink-0",
          task.done ? "text-success" : "text-muted-foreground",
        )}
      />
      <span
        className={cn(
          "min-w-0 flex-1 text-sm leading-5 wrap-anywhere",
          task.done && "text-muted-foreground line-through",
        )}
      >
        {task.title}
      </span>
      <span className="text-xs leading-5 text-muted-foreground tabular-nums">{task.number}</span>
    </li>
  );
}

function Loading() {
  return (
    <div role="status" className="grid gap-4 py-3">
      <span className="sr-only">Loading the tasks</span>
      <Skeleton className="h-4 w-3/4" />
      <Skeleton className="h-4 w-1/2" />
      <Skeleton className="h-4 w-2/3" />
    </div>
  );
}
