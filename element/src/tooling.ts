/** The page's tools: what waits for one in the thread that is open, and what it brings. */

import { Answer } from "./answer";
import { Answering } from "./answering";
import { isSame, pendingCall } from "./asks";
import type { Around, PageTools, Taken } from "./client-tool";
import { items } from "./further";
import type { ClientToolCallItem, StreamingRequest } from "./protocol";
import { Refusal } from "./refusal";
import { again } from "./room";

export abstract class Tooling extends Answering {
  #tools: PageTools | null = null;
  readonly #around: Around = {
    run: () => this.options().onClientTool,
    waits: async ({ thread, call }) => {
      if (thread !== this.threadId || !(await this.reread().catch(() => false))) return false;
      this.listener.changed();
      return isSame(this.#pending(), call);
    },
    give: (taken, value) => this.#give(taken, value),
    failed: ({ thread }, error) => {
      if (thread !== this.threadId) return;
      const way = again(() => this.settle());
      this.fail(error, way);
      this.listener.changed();
    },
    settle: (thread) => {
      if (thread === this.threadId) this.settle();
      return thread === this.threadId;
    },
  };

  protected abstract reread(): Promise<boolean>;

  protected override settle(mine = false): void {
    const { threadId } = this;
    if (!threadId || this.busy || this.loading) return;
    const call = this.#pending();
    if (call && !items.part) return void this.#loaded(mine);
    if (call && items.part) this.#tools ??= new items.part.PageTools(this.#around);
    this.#tools?.settle(threadId, call, mine);
  }

  async #loaded(mine: boolean): Promise<void> {
    if (await items.load()) this.settle(mine);
  }

  #pending(): ClientToolCallItem | null {
    return pendingCall(this.state.items.values());
  }

  async #give({ thread, call, key }: Taken, result: unknown): Promise<Refusal | null> {
    const params = { thread_id: thread, result };
    const request = { type: "threads.add_client_tool_output" as const, params };
    if (thread !== this.threadId) return this.#giveUnseen(request, key, thread);
    let refusal: Refusal | null = null;
    // some servers don't say that it was taken
    this.state.items.set(call.id, { ...call, status: "completed", output: result });
    const undo = () => {
      this.state.items.set(call.id, call);
      return null;
    };
    await this.tell(request, undo, (error) => (refusal = error), key);
    return refusal;
  }

  /** Whoever looks at another thread meanwhile is shown nothing of it. */
  async #giveUnseen(request: StreamingRequest, key: string, id: string): Promise<Refusal | null> {
    const answer = new Answer(this.api, () => {});
    try {
      for await (const _ of answer.to(request, key, () => id));
      return null;
    } catch (error) {
      return new Refusal(String(error), 0);
    }
  }
}
