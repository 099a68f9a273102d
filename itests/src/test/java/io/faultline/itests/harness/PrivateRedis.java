// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** A redis-server of one's own, on a port that was free; skips the test where there is none. */
public final class PrivateRedis implements AutoCloseable {
  /** Whoever asked for a free port at the same moment may have got the same one, and been faster. */
  private static final int PORTS_TRIED = 10;

  private final Process process;
  private final int port;

  private PrivateRedis(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /** Starts it and waits until it answers. */
  public static PrivateRedis start() throws IOException {
    for (int i = 0; i < PORTS_TRIED; i++) {
      PrivateRedis redis = startOn(freePort());
      Eventually.holds("redis-server answers", () -> redis.answers() || !redis.process.isAlive());
      if (redis.process.isAlive()) {
        return redis;
      }
    }
    throw new AssertionError("redis-server ended " + PORTS_TRIED + " times; what does it say?");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static PrivateRedis startOn(int port) throws IOException {
    Path folder = Files.createTempDirectory("redis");
    try {
      return new PrivateRedis(
          new ProcessBuilder(
              "redis-server", "--port", Integer.toString(port), "--bind", "127.0.0.1", "--save", "",
              "--dir", folder.toString())
              .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start(),
          port);
    } catch (IOException e) {
      return Assumptions.abort("no redis-server here (Debian: apt-get install redis-server)");
    }
  }

  /** This one, and not another that has the port. */
  private boolean answers() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("INFO server\r\nQUIT\r\n".getBytes(StandardCharsets.US_ASCII));
      String said =
          new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return said.contains("process_id:" + process.pid() + "\r\n");
    } catch (IOException notYet) {
      return false;
    }
  }

  /** Where it is, for swap-redis. */
  public String uri() {
    return "redis://127.0.0.1:" + port;
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
