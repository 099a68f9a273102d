// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A redis-server of one's own: on a free port of this machine, without files. */
final class PrivateRedis implements AutoCloseable {
  /** Whoever asked for a free port at the same moment may have got the same one, and been faster. */
  private static final int PORTS_TRIED = 5;
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  private static final int ANSWER_MILLIS = 10_000;
  private static final int STOP_SECONDS = 5;

  private final Process process;
  private final int port;
  private final Path folder;

  private PrivateRedis(Process process, int port, Path folder) {
    this.process = process;
    this.port = port;
    this.folder = folder;
  }

  /**
   * Starts it and waits until it answers.
   *
   * @throws PressureException when there is none on this machine, or it does not come up
   */
  static PrivateRedis start() throws PressureException, InterruptedException {
    try {
      long end = System.nanoTime() + PATIENCE_NANOS;
      for (int i = 0; i < PORTS_TRIED; i++) {
        PrivateRedis redis = startOn(freePort());
        while (redis.process.isAlive() && System.nanoTime() - end < 0) {
          if (redis.answers()) {
            return redis;
          }
          Thread.sleep(25);
        }
        redis.close();
      }
      throw new PressureException("pressure: redis-server did not come up");
    } catch (IOException e) {
      throw new PressureException(
          "pressure: no redis-server here (Debian: apt-get install redis-server); --redis"
              + " redis://HOST:PORT names one elsewhere");
    }
  }

  private static PrivateRedis startOn(int port) throws IOException {
    Path folder = Files.createTempDirectory("faultline-redis");
    Process process = new ProcessBuilder("redis-server", "--port", Integer.toString(port),
        "--bind", "127.0.0.1", "--save", "", "--dir", folder.toString())
        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    return new PrivateRedis(process, port, folder);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** This one, and not another that has the port. */
  private boolean answers() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(ANSWER_MILLIS);
      socket.getOutputStream().write("INFO server\r\nQUIT\r\n".getBytes(StandardCharsets.US_ASCII));
      String said =
          new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return said.contains("process_id:" + process.pid() + "\r\n");
    } catch (IOException e) {
      return false;
    }
  }

  /** Where it is, for swap-redis. */
  String uri() {
    return "redis://127.0.0.1:" + port;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      Files.deleteIfExists(folder);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // An empty folder among the temporary ones.
    }
  }
}
