import type { Metadata } from "next";
import { currentUser } from "@/lib/auth";
import { ChatPage } from "./chat-page";

export const metadata: Metadata = { title: "Chat" };

export default async function Page() {
  const { id } = await currentUser();
  const domainKey = process.env.CHATKIT_DOMAIN_KEY || null;
  return <ChatPage userId={id} domainKey={domainKey} />;
}
