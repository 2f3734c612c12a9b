import Link from "next/link";
import { Button } from "@/components/ui/button";
import { HOME } from "@/lib/next-path";

export default function NotFound() {
  return (
    <main className="grid min-h-svh place-content-center justify-items-center gap-4 p-6 text-center">
      <h1 className="text-lg font-semibold">There is nothing here</h1>
      <p className="text-sm text-muted-foreground">The address is wrong, or the page is gone.</p>
      <Button asChild variant="outline">
        <Link href={HOME}>Go to the chat</Link>
      </Button>
    </main>
  );
}
