import { createBook } from "../ready/create-book.ts";
import { runLane } from "./lane.ts";

await runLane(createBook);
