/**
 * The drawings that are not seen at once.
 *
 * Drawn for chatbridge out of circles, boxes and a few strokes.
 */

import { addDrawings, type Drawing } from "./icons";

const ring = (x: number, y: number, r: number): string =>
  `M${x - r} ${y}a${r} ${r} 0 1 1 ${2 * r} 0 ${r} ${r} 0 1 1-${2 * r} 0z`;

const box = (x: number, y: number, width: number, height: number, r = 2): string => {
  const corner = `a${r} ${r} 0 0 1`;
  const [across, down] = [width - 2 * r, height - 2 * r];
  return `M${x + r} ${y}h${across}${corner} ${r} ${r}v${down}${corner}-${r} ${r}h-${across}${corner}-${r}-${r}v-${down}${corner} ${r}-${r}z`;
};

const CIRCLE = ring(12, 12, 8.5);
const SQUARE = box(4, 4, 16, 16, 3);
const PANEL = box(3.5, 4.5, 17, 15, 3);
const PAGE =
  "M7 3.5h7l4.5 4.5v11a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 19V5A1.5 1.5 0 0 1 7 3.5zM14 3.5V8h4.5";
const BOOK = "M6.5 4h12v16H7a2 2 0 0 1-2-2V5.5A1.5 1.5 0 0 1 6.5 4zM5 18a2 2 0 0 1 2-2h11.5";
const PENCIL =
  "M4.5 19.5l1-4.5 10-10a2.1 2.1 0 0 1 3 0l.5.5a2.1 2.1 0 0 1 0 3l-10 10zM13.5 7l3.5 3.5";
const STAR = "M12 3.6l2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9-4.3-4.1 5.9-.8z";
const PERSON = ring(12, 8.5, 3.7) + "M4.8 20a7.2 7.2 0 0 1 14.4 0";
const ACROSS = ring(6, 12, 1.5) + ring(12, 12, 1.5) + ring(18, 12, 1.5);
const DOWN = ring(12, 6, 1.5) + ring(12, 12, 1.5) + ring(12, 18, 1.5);

const DRAWINGS: Readonly<Record<string, Drawing>> = {
  agent: [box(5, 8, 14, 11, 3) + "M12 8V4.5", ring(9.3, 13.5, 1.3) + ring(14.7, 13.5, 1.3)],
  analytics: "M4 19.5h16M7 16v-4M12 16V6M17 16V9",
  atom: [
    "M4.2 7.5A9 3.6 30 1 1 19.8 16.5 9 3.6 30 1 1 4.2 7.5zM4.2 16.5A9 3.6-30 1 1 19.8 7.5 9 3.6-30 1 1 4.2 16.5z",
    ring(12, 12, 1.3),
  ],
  back: "M19 12H5M11 6l-6 6 6 6",
  batch: "M12 4l8 4-8 4-8-4zM4 12l8 4 8-4M4 16l8 4 8-4",
  mic: "M12 4a2.5 2.5 0 0 0-2.5 2.5v5a2.5 2.5 0 0 0 5 0v-5A2.5 2.5 0 0 0 12 4zM6.5 11.5a5.5 5.5 0 0 0 11 0M12 17v3",
  bolt: "M13 3.5l-7.5 10H11l-1 7 7.5-10H12z",
  "book-closed": BOOK + "M9 8h6",
  "book-open":
    "M12 6.5c-2-1.5-5-2-8-1.5v13c3-.5 6 0 8 1.5 2-1.5 5-2 8-1.5V5c-3-.5-6 0-8 1.5zM12 6.5v13",
  bug: "M8 11a4 4 0 0 1 8 0v4a4 4 0 0 1-8 0zM9.3 7.5L8 5M14.7 7.5L16 5M4 13h4M16 13h4M5 18.5l3-1.5M19 18.5L16 17M5 8l3 2M19 8l-3 2",
  calendar: box(4, 5.5, 16, 14.5) + "M4 10h16M8.5 3.5v4M15.5 3.5v4",
  chart: "M4.5 4.5v15h15M8 15l3.5-4 3 2.5L19 8",
  chat: "M5.5 5h13A1.5 1.5 0 0 1 20 6.5v9a1.5 1.5 0 0 1-1.5 1.5H11l-4.5 3.5V17h-1A1.5 1.5 0 0 1 4 15.5v-9A1.5 1.5 0 0 1 5.5 5z",
  check: "M5 12.5L9.5 17 19 7.5",
  "check-circle": CIRCLE + "M8.3 12.3l2.6 2.6 4.8-5.3",
  "check-circle-filled": [
    "",
    ring(12, 12, 9.3) + "M7.6 12.4l1.2-1.2 2.2 2.2 4.4-4.8 1.3 1.1-5.6 6.2z",
  ],
  "chevron-down": "M6 9.5l6 6 6-6",
  "chevron-left": "M14.5 6l-6 6 6 6",
  "chevron-right": "M9.5 6l6 6-6 6",
  "circle-question": CIRCLE + "M9.5 9.7a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 1.8M12 16.5v.01",
  clock: CIRCLE + "M12 7.5V12l3 2",
  "collapse-large": "M20 4l-6 6M14 4.5V10h5.5M4 20l6-6M10 19.5V14H4.5",
  compass: CIRCLE + "M15.5 8.5l-2 5-5 2 2-5z",
  copy:
    box(9, 9, 11, 11) +
    "M15 5.5A1.5 1.5 0 0 0 13.5 4h-8A1.5 1.5 0 0 0 4 5.5v8A1.5 1.5 0 0 0 5.5 15",
  cube: "M12 3.5l7.5 4.2v8.6L12 20.5l-7.5-4.2V7.7zM4.5 7.7L12 12l7.5-4.3M12 12v8.5",
  "dark-mode": "M19.5 14A8 8 0 1 1 10 4.5a6.5 6.5 0 0 0 9.5 9.5z",
  desktop: box(3.5, 4.5, 17, 11.5) + "M9 20h6M12 16v4",
  document: PAGE + "M9 12.5h6M9 16h4",
  dot: ["", ring(12, 12, 4)],
  "dots-horizontal": ["", ACROSS],
  "dots-vertical": ["", DOWN],
  "double-chevron-left": "M12 6l-6 6 6 6M18 6l-6 6 6 6",
  "double-chevron-right": "M12 6l6 6-6 6M6 6l6 6-6 6",
  edit: PENCIL,
  "empty-circle": CIRCLE,
  "expand-large": "M14 4.5h5.5V10M19.5 4.5l-6 6M10 19.5H4.5V14M4.5 19.5l6-6",
  "external-link":
    "M10 6H6.5A1.5 1.5 0 0 0 5 7.5v10A1.5 1.5 0 0 0 6.5 19h10a1.5 1.5 0 0 0 1.5-1.5V14M13.5 4.5h6v6M19.5 4.5L11 13",
  globe:
    CIRCLE +
    "M3.5 12h17M12 3.5c2.5 2.5 3.5 5.5 3.5 8.5s-1 6-3.5 8.5c-2.5-2.5-3.5-5.5-3.5-8.5s1-6 3.5-8.5z",
  grid:
    box(4, 4, 6.5, 6.5, 1) +
    box(13.5, 4, 6.5, 6.5, 1) +
    box(4, 13.5, 6.5, 6.5, 1) +
    box(13.5, 13.5, 6.5, 6.5, 1),
  home: "M4 11l8-7 8 7M6 9.5v10h12v-10M10 19.5v-5h4v5",
  image: SQUARE + ring(9, 9, 1.5) + "M4.5 17L9 12.5l3.5 3.5 3-3 4 4",
  info: CIRCLE + "M12 11.2V16M12 8v.01",
  keys: ring(8, 15.5, 4) + "M11 12.5L19.5 4M15.7 7.8l3 3",
  lab: "M10 4v6l-5 8.2A1.2 1.2 0 0 0 6 20h12a1.2 1.2 0 0 0 1-1.8L14 10V4M8.5 4h7M7.3 15h9.4",
  "light-mode":
    ring(12, 12, 4) +
    "M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1 1M17.4 17.4l1 1M18.4 5.6l-1 1M6.6 17.4l-1 1",
  lightbulb: "M9.5 17v-1.5C7.5 14.5 6 12.5 6 10a6 6 0 0 1 12 0c0 2.5-1.5 4.5-3.5 5.5V17zM10 20.5h4",
  mail: box(3.5, 5.5, 17, 13) + "M4 7.5l8 6 8-6",
  "map-pin":
    "M12 20.5c-4-4-6.5-7.2-6.5-10.5a6.5 6.5 0 0 1 13 0c0 3.3-2.5 6.5-6.5 10.5z" + ring(12, 10, 2.3),
  maps: "M4 6.5l5-2 6 2 5-2v13l-5 2-6-2-5 2zM9 4.5v13M15 6.5v13",
  menu: "M4 7h16M4 12h16M4 17h16",
  mobile: box(7, 3, 10, 18) + "M11 17.8h2",
  "page-blank": PAGE,
  phone:
    "M6.5 4h3L11 8 9 9.5a10 10 0 0 0 5.5 5.5l1.5-2 4 1.5v3a2.5 2.5 0 0 1-2.7 2.5A15 15 0 0 1 4 6.7 2.5 2.5 0 0 1 6.5 4z",
  play: "M8 5l11 7-11 7z",
  plus: "M12 5v14M5 12h14",
  "profile-card":
    box(3.5, 5, 17, 14) + ring(9, 10.5, 1.8) + "M6 16a3 3 0 0 1 6 0M14.5 10h3M14.5 13.5h3",
  reload: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15",
  search: ring(10.5, 10.5, 6) + "M15 15l5 5",
  "settings-cog":
    ring(12, 12, 2.5) +
    ring(12, 12, 6) +
    "M12 3.5V6M12 18v2.5M3.5 12H6M18 12h2.5M6 6l1.8 1.8M16.2 16.2L18 18M18 6l-1.8 1.8M7.8 16.2L6 18",
  "settings-slider": "M4 8h8M16 8h4M4 16h4M12 16h8" + ring(14, 8, 2) + ring(10, 16, 2),
  share: "M12 14V4M8 7.5L12 4l4 3.5M5 12v6.5A1.5 1.5 0 0 0 6.5 20h11a1.5 1.5 0 0 0 1.5-1.5V12",
  "sidebar-left": PANEL + "M9.5 4.5v15",
  "sidebar-right": PANEL + "M14.5 4.5v15",
  sparkle:
    "M12 3.5c.8 5 3.5 7.7 8.5 8.5-5 .8-7.7 3.5-8.5 8.5-.8-5-3.5-7.7-8.5-8.5 5-.8 7.7-3.5 8.5-8.5z",
  "square-code": SQUARE + "M10 9l-3 3 3 3M14 9l3 3-3 3",
  "square-text": SQUARE + "M8 8.5h8M8 12h8M8 15.5h4.5",
  star: STAR,
  "star-filled": [STAR, STAR],
  suitcase:
    box(3.5, 7.5, 17, 12) + "M9 7.5V6a1.5 1.5 0 0 1 1.5-1.5h3A1.5 1.5 0 0 1 15 6v1.5M3.5 13h17",
  "thumb-down":
    "M7 13V4.5H4.5V13zM7 13l4 7.5c1.6 0 2.5-1 2.5-2.5l-.5-4h5a2 2 0 0 0 2-2.4l-1.2-5.5a2 2 0 0 0-2-1.6H7",
  "thumb-up":
    "M7 11v8.5H4.5V11zM7 11l4-7.5c1.6 0 2.5 1 2.5 2.5l-.5 4h5a2 2 0 0 1 2 2.4l-1.2 5.5a2 2 0 0 1-2 1.6H7",
  trash:
    "M4.5 6.5h15M9 6.5V5a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v1.5M6.5 6.5l.8 12A1.5 1.5 0 0 0 8.8 20h6.4a1.5 1.5 0 0 0 1.5-1.5l.8-12M10 10.5V16M14 10.5V16",
  user: PERSON,
  wreath:
    "M9 4.5C5.5 6.5 4 9.5 4.4 13S7 19 10.5 20M15 4.5c3.5 2 5 5 4.6 8.5S17 19 13.5 20M4.4 12l3 1M5.6 8l2.7 1.5M6.2 16.8l2.6-1.3M19.6 12l-3 1M18.4 8l-2.7 1.5M17.8 16.8l-2.6-1.3",
};

/** Other names of the same drawings. A name that is in neither table is looked up by its words. */
const ALIASES: Readonly<Record<string, string>> = {
  "back-small": "chevron-left",
  "book-clock": "book-closed",
  "collapse-small": "collapse-large",
  confetti: "sparkle",
  dots: "dots-horizontal",
  "dots-vertical-circle": "dots-vertical",
  "expand-small": "expand-large",
  hamburger: "menu",
  images: "image",
  lifesaver: "circle-question",
  name: "profile-card",
  notebook: "book-closed",
  profile: "user",
  retry: "reload",
  write: "edit",
  "write-alt": "compose",
  "arrow-left": "back",
  "arrow-up": "send",
  book: "book-closed",
  file: "document",
  link: "external-link",
  message: "chat",
  moon: "dark-mode",
  pencil: "edit",
  settings: "settings-cog",
  sun: "light-mode",
  text: "square-text",
  x: "close",
  zap: "bolt",
};

addDrawings(DRAWINGS, ALIASES);
