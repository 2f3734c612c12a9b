import type { Metadata } from "next";
import { currentUser } from "@/lib/auth";
import { ChatPage } from "./chat-page";

export const metadata: Metadata = { title: "Chat" };

export default async function Page() {
  const { id } = await currentUser();
  const domainKey = process.env.CHATKIT_DOMAIN_KEY || null;
  const sessions = process.env.CHATKIT_SESSIONS === "on";
  return <ChatPage userId={id} domainKey={domainKey} sessions={sessions} />;
}
