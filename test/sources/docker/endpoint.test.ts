import { expect, test } from "vitest";
import { parseEngine } from "../../../src/sources/docker/endpoint.ts";

const TLS = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/certs" };

test.each([
  ["unix:///run/podman.sock", {}, { kind: "unix", path: "/run/podman.sock" }],
  [`unix:///${"x".repeat(106)}`, {}, { kind: "unix", path: `/${"x".repeat(106)}` }],
  ["", {}, { kind: "unix", path: "/var/run/docker.sock" }],
  ["", { DOCKER_HOST: "" }, { kind: "unix", path: "/var/run/docker.sock" }],
  ["", { DOCKER_HOST: "tcp://a:1" }, { kind: "tcp", host: "a", port: 1, tlsFolder: undefined }],
  ["unix:///x", { DOCKER_HOST: "tcp://a:1" }, { kind: "unix", path: "/x" }],
  ["tcp://10.0.0.1:65535", {}, { kind: "tcp", host: "10.0.0.1", port: 65_535, tlsFolder: undefined }],
  ["tcp://[fd00::1]:2375/", {}, { kind: "tcp", host: "fd00::1", port: 2375, tlsFolder: undefined }],
  ["tcp://a", {}, { kind: "tcp", host: "a", port: 2375, tlsFolder: undefined }],
  ["tcp://a", TLS, { kind: "tcp", host: "a", port: 2376, tlsFolder: "/certs" }],
  ["tcp://a:1", { DOCKER_CERT_PATH: "/certs" }, { kind: "tcp", host: "a", port: 1, tlsFolder: undefined }],
  ["tcp://a:1", { DOCKER_TLS_VERIFY: "1", HOME: "/h" }, { kind: "tcp", port: 1, tlsFolder: "/h/.docker" }],
  ["ssh://a", {}, { kind: "ssh", host: "a", port: undefined, user: undefined }],
  ["ssh://me@a.b-c:22", {}, { kind: "ssh", host: "a.b-c", port: 22, user: "me" }],
  ["ssh://[::1]", {}, { kind: "ssh", host: "::1", port: undefined, user: undefined }],
])("the engine %j with %j", (text, env, expected) => {
  expect(parseEngine(text, env)).toMatchObject(expected);
});

test.each([
  ["docker", "write unix:///path, tcp://host:port or ssh://user@host"],
  ["http://a:1", "write unix:///path, tcp://host:port or ssh://user@host"],
  ["unix://run/docker.sock", "its path must begin with a slash, as in unix:///run/docker.sock"],
  [`unix:///${"x".repeat(107)}`, "its path has 108 octets, 107 are allowed"],
  ["unix:///a\0b", "its path has a zero octet in it"],
  ["tcp://a:0", "a port is 1 to 65535"],
  ["tcp://a:65536", "a port is 1 to 65535"],
  ["tcp://me@a:1", "a user has no meaning over TCP: write tcp://host:port"],
  ["tcp://a:1/v1", "nothing may stand behind the port: write tcp://host:port"],
  ["tcp://", "write tcp://host:port"],
  ["ssh://", "write ssh://user@host:port"],
  ["ssh://-oProxyCommand=id", "write ssh://user@host:port"],
  ["ssh://-a", 'a host cannot begin with "-"'],
  ["ssh://me@-a:22", 'a host cannot begin with "-"'],
  ["ssh://a;id", "write ssh://user@host:port"],
  [
    "ssh://$(id)@a",
    'a user is letters, digits and ".", "_", "+", "-", and no password: write ssh://user@host:port',
  ],
  [
    "ssh://-l@a",
    'a user is letters, digits and ".", "_", "+", "-", and no password: write ssh://user@host:port',
  ],
  [
    "ssh://me:secret@a",
    'a user is letters, digits and ".", "_", "+", "-", and no password: write ssh://user@host:port',
  ],
])("%j is no engine", (text, remedy) => {
  expect(() => parseEngine(text, {})).toThrow(
    expect.objectContaining({
      code: "ERR_ROTA_OPTION",
      message: `could not take ${JSON.stringify(text)} as a Docker engine: ${remedy}`,
    }),
  );
});
