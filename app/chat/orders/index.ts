export { cartsCsv } from "./csv.ts";
export { decide } from "./decide.ts";
export { ask, type Desk } from "./desk.ts";
export { answerWithItems, asksForItems } from "./items.ts";
export { link, linkedRoom } from "./linked.ts";
export { allOf, pageOf } from "./list.ts";
export { order } from "./order.ts";
export { showWaiting } from "./show-waiting.ts";
