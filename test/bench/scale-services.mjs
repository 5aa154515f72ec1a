/** So many tasks has each service. */
export const TASKS = 10;

/** Behind every second service stands a VIP, and the others answer with their tasks. */
export function isVip(service) {
  return service % 2 === 0;
}

export function nameOf(service) {
  return `service-${service}`;
}

/** All services of so many tasks, and what they stand on, as `startRota` takes them. */
export function createServices(tasks) {
  const count = Math.ceil(tasks / TASKS);
  return {
    networks: { default: { subnets: ["10.0.0.0/8"], vips: "10.128.0.0/9" } },
    services: Object.fromEntries(
      Array.from({ length: count }, (_, service) => [nameOf(service), createService(service)]),
    ),
  };
}

/** @param changed the address of its first task, where it is not as it was at the start */
export function createService(service, changed = addressOf(service, 0)) {
  return {
    endpoint_mode: isVip(service) ? "vip" : "dnsrr",
    ports: [{ name: "http", target: 8080, port: 80 }],
    tasks: Array.from({ length: TASKS }, (_, task) => (task === 0 ? changed : addressOf(service, task))),
  };
}

function addressOf(service, task) {
  return addressNumbered(10, service * TASKS + task);
}

/** An address that tells a number below 16,777,216. */
export function addressNumbered(first, number) {
  return `${first}.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
}
