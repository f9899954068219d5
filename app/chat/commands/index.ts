export { answerWithFact, bot, callsBot } from "./bot.ts";
export { type AskFact, openFacts } from "./facts.ts";
export { run } from "./run.ts";
