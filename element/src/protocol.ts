/**
 * ChatKit's wire protocol: what `openai-chatkit` 1.6 sends and reads. Names are its own.
 *
 * Every object may carry more than is named here, and every union more members: a server may be newer.
 */

import type { UserMessageContent } from "@openai/chatkit";

export type { UserMessageContent };

export interface Page<T> {
  data: T[];
  has_more: boolean;
  after?: string | null;
}

export interface Thread {
  id: string;
  title?: string | null;
  created_at: string;
  status?: { type: "active" | "locked" | "closed"; reason?: string | null };
  allowed_image_domains?: string[] | null;
  /** An answer in it waits for the person, as a chatbridge says of those that it lists. */
  waits?: boolean;
  items?: Page<ThreadItem>;
}

interface ItemBase {
  id: string;
  thread_id: string;
  created_at: string;
}

export interface Attachment {
  id: string;
  type: string;
  name: string;
  mime_type: string;
  /** Of a picture: where it is seen, for a while. */
  preview_url?: string;
  upload_descriptor?: { url: string; method: "POST" | "PUT"; headers?: Record<string, string> };
}

export interface UserMessageItem extends ItemBase {
  type: "user_message";
  content: UserMessageContent[];
  attachments?: Attachment[];
  quoted_text?: string | null;
  inference_options?: { tool_choice?: { id: string } | null; model?: string | null };
}

export interface Source {
  type: "url" | "file" | "entity";
  title: string;
  url?: string;
  filename?: string;
  id?: string;
}

export interface Annotation {
  type: "annotation";
  source: Source;
  index?: number | null;
}

export interface AssistantContent {
  type: "output_text";
  text: string;
  annotations?: Annotation[];
}

export interface AssistantMessageItem extends ItemBase {
  type: "assistant_message";
  content: AssistantContent[];
}

export interface ClientToolCallItem extends ItemBase {
  type: "client_tool_call";
  status: "pending" | "completed";
  call_id: string;
  name: string;
  arguments: Record<string, unknown>;
  output?: unknown;
}

/** A widget component as it comes: any type, any further members. */
export interface WidgetNode {
  type: string;
  id?: string;
  key?: string;
  children?: WidgetNode[] | WidgetNode;
  [member: string]: unknown;
}

export interface WidgetItem extends ItemBase {
  type: "widget";
  widget: WidgetNode;
  copy_text?: string | null;
}

export interface GeneratedImageItem extends ItemBase {
  type: "generated_image";
  image?: { id: string; url: string } | null;
}

export interface StructuredInput {
  type: "multiple_choice" | "freeform";
  id: string;
  question: string;
  description?: string | null;
  options?: { value: string }[];
  multiple?: boolean;
  answer?: { values: string[]; skipped?: boolean } | null;
}

export interface StructuredInputItem extends ItemBase {
  type: "structured_input";
  status: "pending" | "answered" | "skipped";
  inputs: StructuredInput[];
}

export interface Task {
  type: "custom" | "web_search" | "thought" | "file" | "image";
  status_indicator?: "none" | "loading" | "complete";
  title?: string | null;
  title_query?: string | null;
  content?: string | null;
  icon?: string | null;
  queries?: string[];
  sources?: Source[];
}

export interface TaskItem extends ItemBase {
  type: "task";
  task: Task;
}

export interface Workflow {
  type: "custom" | "reasoning";
  tasks: Task[];
  summary?: { title?: string | null; icon?: string | null; duration?: number | null } | null;
  expanded?: boolean;
}

export interface WorkflowItem extends ItemBase {
  type: "workflow";
  workflow: Workflow;
}

export interface EndOfTurnItem extends ItemBase {
  type: "end_of_turn";
}

export type ThreadItem =
  | UserMessageItem
  | AssistantMessageItem
  | ClientToolCallItem
  | WidgetItem
  | GeneratedImageItem
  | StructuredInputItem
  | TaskItem
  | WorkflowItem
  | EndOfTurnItem;

export type ItemUpdate =
  | {
      type: "assistant_message.content_part.added";
      content_index: number;
      content: AssistantContent;
    }
  | { type: "assistant_message.content_part.text_delta"; content_index: number; delta: string }
  | {
      type: "assistant_message.content_part.annotation_added";
      content_index: number;
      annotation_index: number;
      annotation: Annotation;
    }
  | {
      type: "assistant_message.content_part.done";
      content_index: number;
      content: AssistantContent;
    }
  | {
      type: "widget.streaming_text.value_delta";
      component_id: string;
      delta: string;
      done: boolean;
    }
  | { type: "widget.root.updated"; widget: WidgetNode }
  | { type: "widget.component.updated"; component_id: string; component: WidgetNode }
  | { type: "workflow.task.added"; task_index: number; task: Task }
  | { type: "workflow.task.updated"; task_index: number; task: Task }
  | {
      type: "generated_image.updated";
      image: { id: string; url: string };
      progress?: number | null;
    };

export interface Notice {
  type: "notice";
  level: "info" | "warning" | "danger";
  message: string;
  title?: string | null;
}

export type ThreadEvent =
  | { type: "thread.created"; thread: Thread }
  | { type: "thread.updated"; thread: Thread }
  | { type: "thread.item.added"; item: ThreadItem }
  | { type: "thread.item.updated"; item_id: string; update: ItemUpdate }
  | { type: "thread.item.done"; item: ThreadItem }
  | { type: "thread.item.removed"; item_id: string }
  | { type: "thread.item.replaced"; item: ThreadItem }
  | { type: "stream_options"; stream_options: { allow_cancel: boolean } }
  | { type: "progress_update"; icon?: string | null; text: string }
  | { type: "client_effect"; name: string; data?: Record<string, unknown> }
  | { type: "error"; code?: string; message?: string | null; allow_retry?: boolean }
  | Notice;

export interface Action {
  type: string;
  payload?: unknown;
}

/** An action as a widget offers it. */
export interface ActionConfig extends Action {
  handler?: unknown;
  loadingBehavior?: unknown;
  streaming?: unknown;
}

export interface UserMessageInput {
  content: UserMessageContent[];
  attachments: string[];
  quoted_text?: string | null;
  inference_options: { tool_choice?: { id: string }; model?: string };
}

/** Answered by a stream of events. */
export type StreamingRequest =
  | { type: "threads.create"; params: { input: UserMessageInput } }
  | { type: "threads.add_user_message"; params: { thread_id: string; input: UserMessageInput } }
  | { type: "threads.add_client_tool_output"; params: { thread_id: string; result: unknown } }
  | {
      type: "threads.add_structured_input";
      params: {
        thread_id: string;
        item_id: string;
        input: {
          status: "answered" | "skipped";
          answers: Record<string, { values: string[]; skipped?: boolean }>;
        };
      };
    }
  | { type: "threads.retry_after_item"; params: { thread_id: string; item_id: string } }
  | {
      type: "threads.custom_action";
      params: { thread_id: string; item_id?: string; action: Action };
    };

interface Range {
  limit?: number;
  order?: "asc" | "desc";
  after?: string;
}

/** Answered by JSON: the request's parameters, and the answer. */
export interface JsonOperations {
  "threads.get_by_id": [{ thread_id: string }, Thread & { items: Page<ThreadItem> }];
  "threads.list": [Range, Page<Thread>];
  "threads.update": [{ thread_id: string; title: string }, Thread];
  "threads.delete": [{ thread_id: string }, unknown];
  "items.list": [Range & { thread_id: string }, Page<ThreadItem>];
  "items.feedback": [
    { thread_id: string; item_ids: string[]; kind: "positive" | "negative" },
    unknown,
  ];
  "input.transcribe": [{ audio_base64: string; mime_type: string }, { text?: unknown }];
  "threads.sync_custom_action": [
    { thread_id: string; item_id?: string; action: Action },
    { updated_item?: unknown },
  ];
  "attachments.create": [{ name: string; size: number; mime_type: string }, Attachment];
  "attachments.delete": [{ attachment_id: string }, unknown];
}
