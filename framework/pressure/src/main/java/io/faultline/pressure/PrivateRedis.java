// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.pressure;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A redis-server of one's own: on a free port of this machine, without files. */
final class PrivateRedis implements AutoCloseable {
  private static final int TRIES = 200;
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
      int port = freePort();
      Path folder = Files.createTempDirectory("faultline-redis");
      Process process = new ProcessBuilder("redis-server", "--port", Integer.toString(port),
          "--bind", "127.0.0.1", "--save", "", "--dir", folder.toString())
          .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
      PrivateRedis redis = new PrivateRedis(process, port, folder);
      for (int i = 0; i < TRIES; i++) {
        if (redis.answers()) {
          return redis;
        }
        Thread.sleep(25);
      }
      redis.close();
      throw new PressureException("pressure: redis-server did not come up on port " + port);
    } catch (IOException e) {
      throw new PressureException(
          "pressure: no redis-server here (Debian: apt-get install redis-server); --redis"
              + " redis://HOST:PORT names one elsewhere");
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private boolean answers() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
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
