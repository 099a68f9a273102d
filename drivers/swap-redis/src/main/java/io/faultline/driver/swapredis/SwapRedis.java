// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import io.faultline.device.RequireFaultline;
import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.Designate;
import redis.clients.jedis.util.JedisURIHelper;

/**
 * Swap space on a Redis server or cluster, which several kernels on several machines may share.
 *
 * <p>The component's end is not the device's: the kernel reads on until it has moved all pages home,
 * and then calls {@link #swapoff}.
 */
@Component(name = "io.faultline.driver.swapredis")
@Designate(ocd = SwapRedisConfig.class)
@RequireFaultline
public final class SwapRedis implements SwapDevice {
  static final int PAGE = 4096;

  private final List<URI> uris;
  private final String prefix;
  private final long slots;
  private final Duration connect;
  private final Duration answer;
  private volatile @Nullable Session session;

  /** With Config Admin's values. */
  @Activate
  public SwapRedis(SwapRedisConfig config) {
    this(
        Arrays.stream(config.uris()).flatMap(u -> Arrays.stream(u.split("[,\\s]+")))
            .filter(u -> !u.isEmpty()).map(URI::create).toList(),
        config.prefix(), config.size_bytes() / PAGE, Duration.ofMillis(config.connect_timeout_ms()),
        Duration.ofMillis(config.timeout_ms()));
  }

  /**
   * @param uris one server's, or some of a cluster's nodes
   * @param slots how many pages
   * @param connect how long to wait for a connection
   * @param answer how long to wait for an answer
   * @throws IllegalArgumentException when one of them cannot be
   */
  SwapRedis(List<URI> uris, String prefix, long slots, Duration connect, Duration answer) {
    if (uris.isEmpty() || !uris.stream().allMatch(JedisURIHelper::isValid)) {
      throw new IllegalArgumentException("uris: redis://HOST:PORT, with commas between several");
    }
    if (prefix.isBlank() || prefix.chars().anyMatch(Character::isWhitespace)) {
      throw new IllegalArgumentException("prefix: '" + prefix + "' is empty or has blanks in it");
    }
    if (slots < 1 || slots > 1L << 31) {
      throw new IllegalArgumentException(
          "size.bytes: a page at least, that is 4096, and at most 8 TiB");
    }
    if (!connect.isPositive() || !answer.isPositive()) {
      throw new IllegalArgumentException("connect.timeout.ms, timeout.ms: 1 at least");
    }
    this.uris = List.copyOf(uris);
    this.prefix = prefix;
    this.slots = slots;
    this.connect = connect;
    this.answer = answer;
  }

  /** The first server with the prefix as its path: {@code redis://127.0.0.1:6379/faultline}. */
  @Override
  public String name() {
    URI first = uris.getFirst();
    return first.getScheme() + "://" + JedisURIHelper.getHostAndPort(first) + "/" + prefix;
  }

  @Override
  public long slots() {
    return slots;
  }

  @Override
  public void swapon() throws IOException {
    if (session != null) {
      throw new IOException(name() + " is active");
    }
    Server server = Server.connect(uris, connect, answer, "faultline-swap");
    PageStore pages = new PageStore(server, prefix, slots);
    try {
      pages.open();
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    session = new Session(server, pages, sweeper(pages));
  }

  /** Removes what was freed also when nothing is written any more. */
  private static ScheduledExecutorService sweeper(PageStore pages) {
    ScheduledExecutorService sweeper = Executors.newSingleThreadScheduledExecutor(
        Thread.ofPlatform().daemon().name("swap-redis sweeper").factory());
    sweeper.scheduleWithFixedDelay(() -> {
      try {
        pages.removeUnwanted();
      } catch (IOException | RuntimeException e) {
        // It stays unwanted: next second, or with the next write that succeeds.
      }
    }, 1, 1, TimeUnit.SECONDS);
    return sweeper;
  }

  @Override
  public void swapoff() {
    Session over = session;
    session = null;
    if (over != null) {
      over.sweeper().close();
      over.pages().close();
      over.server().close();
    }
  }

  @Override
  public void write(long[] at, MemorySegment[] pages) throws IOException {
    active().pages().put(at, pages);
  }

  @Override
  public void read(long[] at, MemorySegment[] pages) throws IOException {
    active().pages().get(at, pages);
  }

  @Override
  public void free(long[] at) {
    Session active = session;
    if (active != null) {
      active.pages().free(at);
    }
  }

  private Session active() throws IOException {
    Session active = session;
    if (active == null) {
      throw new IOException(name() + " is not active; swapon comes first");
    }
    return active;
  }

  /** What it has while it is active. */
  private record Session(Server server, PageStore pages, ScheduledExecutorService sweeper) {}
}
