import { createBook } from "../ready/book.ts";
import { runLane } from "./lane.ts";

await runLane(createBook);
