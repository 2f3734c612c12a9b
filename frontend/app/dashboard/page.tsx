import type { Metadata } from "next";
import { currentUser } from "@/lib/auth";
import { TasksPage } from "./tasks-page";

export const metadata: Metadata = { title: "Tasks" };

export default async function Page() {
  const { id } = await currentUser();
  return <TasksPage userId={id} />;
}
