// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Assumptions;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/** A real {@code redis-server} of a test's own, on a free port, in a folder that goes away. */
final class RedisServer implements AutoCloseable {
  private static final String PROGRAM = "redis-server";
  private static final int PORTS_TRIED = 10;
  private static final long PATIENCE_NANOS = 180_000_000_000L;

  private final List<String> command;
  private final int port;
  private Process process;

  private RedisServer(int port, Path folder, String... more) throws IOException {
    this.port = port;
    command = new ArrayList<>(List.of(PROGRAM, "--port", Integer.toString(port), "--bind",
        "127.0.0.1", "--dir", folder.toString(), "--loglevel", "warning"));
    command.addAll(List.of(more));
    if (!command.contains("--appendonly")) {
      command.addAll(List.of("--save", "", "--appendonly", "no"));
    }
    // A test that was killed leaves no server behind.
    Runtime.getRuntime().addShutdownHook(new Thread(this::kill));
    start();
  }

  /** Skips the test, in one line that says why, where there is no redis-server. */
  static void require() {
    // What Jedis logs when the tests kill the server.
    Logger.getLogger("redis.clients.jedis").setLevel(Level.OFF);
    boolean there;
    try {
      there = new ProcessBuilder(PROGRAM, "--version").redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      there = false;
    }
    if (!there) {
      String why =
          "swap-redis is not tested: no redis-server here; install it (Debian: apt-get install"
              + " redis-server), the tests start their own";
      System.out.println(why);
      Assumptions.abort(why);
    }
  }

  static RedisServer start(Path folder, String... more) throws IOException {
    for (int i = 0; true; i++) {
      try {
        return new RedisServer(freePort(), folder, more);
      } catch (PortTakenException e) {
        if (i == PORTS_TRIED) {
          throw e;
        }
      }
    }
  }

  /** Whoever asked for a free port at the same moment may have got the same one, and been faster. */
  private static final class PortTakenException extends IOException {
    private static final long serialVersionUID = 1L;

    PortTakenException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Starts it, again, and waits until it answers. */
  void start() throws IOException {
    process = new ProcessBuilder(command).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    long end = System.nanoTime() + PATIENCE_NANOS;
    JedisException last = new JedisException("another server has the port");
    while (process.isAlive() && System.nanoTime() - end < 0) {
      try (Jedis jedis = jedis()) {
        if (jedis.info("server").contains("process_id:" + process.pid() + "\r\n")) {
          return;
        }
      } catch (JedisException e) {
        last = e;
      }
      pause();
    }
    boolean ended = !process.isAlive();
    kill();
    throw ended
        ? new PortTakenException("redis-server has ended: " + command, last)
        : new IOException("redis-server does not answer: " + command, last);
  }

  /** A server that begins to answer tells nobody. */
  private static void pause() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** kill -9. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Stops and continues it: a server that hangs. */
  void signal(String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  int port() {
    return port;
  }

  URI uri() {
    return URI.create("redis://127.0.0.1:" + port);
  }

  Jedis jedis() {
    return new Jedis("127.0.0.1", port, 5000);
  }

  /** All keys. */
  List<String> keys() {
    try (Jedis jedis = jedis()) {
      return List.copyOf(jedis.keys("*"));
    }
  }

  @Override
  public void close() {
    kill();
  }
}
