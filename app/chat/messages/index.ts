export { edit, remove } from "./edit.ts";
export { journey, reach } from "./journey.ts";
export { markup } from "./markup.ts";
export { type Lane, post } from "./post.ts";
export { factsAfter, glimpse, one, opening, page, since, stretch, type Where } from "./read.ts";
