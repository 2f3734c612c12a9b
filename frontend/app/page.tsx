import { redirect } from "next/navigation";
import { HOME } from "@/lib/next-path";

export default function Root(): never {
  redirect(HOME);
}
