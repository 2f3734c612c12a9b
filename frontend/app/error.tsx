"use client";

import { Button } from "@/components/ui/button";

export default function Failed({ reset }: { reset: () => void }) {
  return (
    <main className="grid min-h-svh place-content-center justify-items-center gap-4 p-6 text-center">
      <h1 className="text-lg font-semibold">Something went wrong</h1>
      <p role="alert" className="text-sm text-muted-foreground">
        This page can&rsquo;t be shown now. Try again in a moment.
      </p>
      <Button variant="outline" onClick={reset}>
        Try again
      </Button>
    </main>
  );
}
