import { realpath } from "node:fs/promises";
import { expect, test } from "vitest";
import { decidingFolders } from "../../src/sources/deciding-folders.ts";
import { createFolder } from "./folder.ts";

test.each([
  ["a file", "etc/a.yaml", ["etc"]],
  ["a folder", "etc", ["etc"]],
  ["a file that is not there", "etc/none.yaml", ["etc"]],
  ["a file in folders that are not there", "none/of/these.yaml", ["."]],
  ["a link to a file elsewhere", "link.yaml", [".", "etc"]],
  ["a link to a link", "twice.yaml", [".", "etc"]],
  ["a link that goes up", "etc/up.yaml", ["etc", "."]],
  ["a link to nothing", "etc/dangling", ["etc", "."]],
  ["a file in a folder that is a link", "folder/a.yaml", [".", "etc"]],
  ["a file of a ConfigMap", "map/a.yaml", ["map", "map/..1"]],
])("of %s", async (_, path, expected) => {
  await using folder = await createFolder();
  await folder.write("etc/a.yaml", "");
  await folder.write("b.yaml", "");
  await folder.link("link.yaml", folder.at("etc/a.yaml"));
  await folder.link("twice.yaml", "./link.yaml");
  await folder.link("etc/up.yaml", "../b.yaml");
  await folder.link("etc/dangling", "../none/b.yaml");
  await folder.link("folder", "etc");
  await folder.write("map/..1/a.yaml", "");
  await folder.link("map/..data", "..1");
  await folder.link("map/a.yaml", "..data/a.yaml");
  const root = await realpath(folder.path);
  const found = await decidingFolders(`${root}/${path}`);
  expect(found.map((at) => at.slice(root.length + 1) || ".")).toEqual(expected);
});

test("of links that lead round in a ring is still an end", async () => {
  await using folder = await createFolder();
  await folder.link("one", "other");
  await folder.link("other", "one");
  expect(await decidingFolders(folder.at("one"))).toContain(await realpath(folder.path));
});
