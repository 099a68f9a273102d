// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;

/**
 * The pages of a device that is active. 256 neighbouring slots are one hash on the server, {@code
 * PREFIX:EPOCH:BUCKET}; the epoch is a number drawn when the device was switched on. A page is a
 * field of it, and the field's name is the slot with the number of the write: <b>a field never
 * changes</b>. So a write whose connection broke may be sent again, and one that a slow server carries
 * out after it was given up, or a database that comes back from an old snapshot, cannot put an old
 * page in a new one's place: it is another field. Which field is the right one, and its checksum,
 * is known here ({@link Tags}).
 *
 * <p>Fields that nobody wants any more are removed with the next write, or within a second.
 */
final class PageStore {
  private static final Logger LOG = System.getLogger(PageStore.class.getName());
  private static final int PAGE = SwapRedis.PAGE;
  private static final int BUCKET_SHIFT = 8;
  /** Pages in one go: 2 MiB. */
  private static final int PORTION = 512;
  private static final int REMOVALS = 4096;

  private final Server server;
  private final String prefix;
  private final String epoch = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
  private final Tags tags;
  private final long buckets;
  private final BitSet used = new BitSet(); // guarded by itself
  private final ConcurrentLinkedQueue<Field> unwanted = new ConcurrentLinkedQueue<>();
  private final AtomicLong unwantedCount = new AtomicLong();
  private final long mostUnwanted;
  private int writes; // there is one write at a time

  PageStore(Server server, String prefix, long slots) {
    this.server = server;
    this.prefix = prefix;
    this.tags = new Tags(slots);
    this.buckets = (slots - 1 >> BUCKET_SHIFT) + 1;
    this.mostUnwanted = slots + (1 << 20);
  }

  /** Leaves word whose pages these are, and removes what dead kernels of this machine left. */
  void open() throws IOException {
    byte[] owners = owners();
    Map<byte[], byte[]> entries =
        server.<Map<byte[], byte[]>>send(List.of(p -> p.hgetAll(owners))).getFirst();
    for (Map.Entry<byte[], byte[]> entry : entries.entrySet()) {
      Optional<Owner> owner = Owner.parse(text(entry.getValue()));
      if (owner.isPresent() && owner.get().isDead()) {
        remove(text(entry.getKey()), allBuckets(owner.get().buckets()));
      }
    }
    Map<byte[], byte[]> self =
        Map.of(bytes(epoch), bytes(Owner.self(buckets).toString()));
    server.<Long>send(List.of(p -> p.hset(owners, self)));
    warnOfEviction();
  }

  private void warnOfEviction() {
    for (String line : server.memory()) {
      if (line.startsWith("maxmemory_policy:") && !line.endsWith(":noeviction")) {
        LOG.log(Level.WARNING, server + " has " + line.strip()
            + ": it throws pages away when its memory is full, and reading them then fails; set"
            + " maxmemory-policy noeviction");
      }
    }
  }

  /** Keeps all the pages or none. */
  void put(long[] slots, MemorySegment[] pages) throws IOException {
    free(slots);
    int write = ++writes == 0 ? ++writes : writes;
    int from = 0;
    try {
      for (; from < slots.length; from += PORTION) {
        put(write, slots, pages, from, Math.min(from + PORTION, slots.length));
      }
    } catch (IOException | RuntimeException e) {
      // What was sent may be there, or may yet come to be.
      for (int i = 0; i < Math.min(from + PORTION, slots.length); i++) {
        drop(new Field(slots[i], write));
      }
      throw e;
    }
    for (int i = 0; i < slots.length; i++) {
      tags.set(slots[i], Tags.tag(write, pages[i]));
    }
  }

  private void put(int write, long[] slots, MemorySegment[] pages, int from, int to)
      throws IOException {
    List<Function<AbstractPipeline, Response<Long>>> commands = new ArrayList<>();
    List<Field> removed = removals(commands);
    for (int first = from; first < to;) {
      long bucket = slots[first] >> BUCKET_SHIFT;
      Map<byte[], byte[]> fields = new IdentityHashMap<>();
      for (; first < to && slots[first] >> BUCKET_SHIFT == bucket; first++) {
        fields.put(new Field(slots[first], write).name(), packed(pages[first]));
      }
      byte[] key = key(epoch, bucket);
      commands.add(p -> p.hset(key, fields));
      synchronized (used) {
        used.set((int) bucket);
      }
    }
    try {
      server.send(commands);
    } catch (IOException e) {
      removed.forEach(this::drop);
      throw e;
    }
  }

  /** Brings the pages, the right ones or none. */
  void get(long[] slots, MemorySegment[] pages) throws IOException {
    for (int from = 0; from < slots.length; from += PORTION) {
      get(slots, pages, from, Math.min(from + PORTION, slots.length));
    }
  }

  private void get(long[] slots, MemorySegment[] pages, int from, int to) throws IOException {
    List<Function<AbstractPipeline, Response<List<byte[]>>>> commands = new ArrayList<>();
    for (int first = from; first < to;) {
      long bucket = slots[first] >> BUCKET_SHIFT;
      List<byte[]> fields = new ArrayList<>();
      for (; first < to && slots[first] >> BUCKET_SHIFT == bucket; first++) {
        long tag = tags.get(slots[first]);
        if (tag == Tags.EMPTY) {
          throw new IOException("slot " + slots[first] + " holds nothing");
        }
        fields.add(new Field(slots[first], Tags.write(tag)).name());
      }
      byte[] key = key(epoch, bucket);
      byte[][] names = fields.toArray(byte[][]::new);
      commands.add(p -> p.hmget(key, names));
    }
    int at = from;
    for (List<byte[]> answer : server.send(commands)) {
      for (byte[] value : answer) {
        unpack(slots[at], value, pages[at]);
        at++;
      }
    }
    if (at != to) {
      throw new IOException(server + " sent " + (at - from) + " of " + (to - from) + " pages");
    }
  }

  /** A page that is one word over and over goes as that word. */
  private static byte[] packed(MemorySegment page) {
    boolean same = MemorySegment.mismatch(page, 8, PAGE, page, 0, PAGE - 8) == -1;
    return page.asSlice(0, same ? 8 : PAGE).toArray(ValueLayout.JAVA_BYTE);
  }

  private void unpack(long slot, byte @Nullable [] value, MemorySegment page) throws IOException {
    if (value == null) {
      throw new IOException(
          "%s: the page of slot %d is gone; was the server started anew, or is its"
              .formatted(server, slot) + " memory full and its maxmemory-policy not noeviction?");
    }
    if (value.length != PAGE && value.length != 8) {
      throw new IOException("%s: slot %d holds %d bytes".formatted(server, slot, value.length));
    }
    MemorySegment.copy(value, 0, page, ValueLayout.JAVA_BYTE, 0, value.length);
    for (int done = value.length; done < PAGE; done *= 2) {
      MemorySegment.copy(page, 0, page, done, done);
    }
    if (!Tags.is(tags.get(slot), page)) {
      throw new IOException("%s: slot %d does not hold what was written".formatted(server, slot));
    }
  }

  /** Forgets the pages; the server hears of it later. */
  void free(long... slots) {
    for (long slot : slots) {
      long before = tags.set(slot, Tags.EMPTY);
      if (before != Tags.EMPTY) {
        drop(new Field(slot, Tags.write(before)));
      }
    }
  }

  /** Removes what nobody wants any more. */
  void removeUnwanted() throws IOException {
    while (!unwanted.isEmpty()) {
      List<Function<AbstractPipeline, Response<Long>>> commands = new ArrayList<>();
      List<Field> removed = removals(commands);
      try {
        server.send(commands);
      } catch (IOException e) {
        removed.forEach(this::drop);
        throw e;
      }
    }
  }

  /**
   * The field is to go. While the server is away there may be more and more of them: beyond a bound they
   * are forgotten, and go when all goes.
   */
  private void drop(Field field) {
    if (unwantedCount.get() < mostUnwanted) {
      unwantedCount.incrementAndGet();
      unwanted.add(field);
    }
  }

  private List<Field> removals(List<Function<AbstractPipeline, Response<Long>>> commands) {
    List<Field> removed = new ArrayList<>();
    Map<Long, List<byte[]>> byBucket = new TreeMap<>();
    for (Field field = unwanted.poll(); field != null; field = unwanted.poll()) {
      unwantedCount.decrementAndGet();
      removed.add(field);
      byBucket.computeIfAbsent(field.slot() >> BUCKET_SHIFT, b -> new ArrayList<>())
          .add(field.name());
      if (removed.size() == REMOVALS) {
        break;
      }
    }
    byBucket.forEach((bucket, names) -> {
      byte[] key = key(epoch, bucket);
      byte[][] fields = names.toArray(byte[][]::new);
      commands.add(p -> p.hdel(key, fields));
    });
    return removed;
  }

  /** Leaves nothing on the server, if it can be reached. */
  void close() {
    try {
      BitSet all;
      synchronized (used) {
        all = (BitSet) used.clone();
      }
      remove(epoch, all);
    } catch (IOException e) {
      LOG.log(Level.WARNING,
          e.getMessage() + "; if its data comes back, remove the keys " + prefix + ":" + epoch
              + ":*");
    }
  }

  private static BitSet allBuckets(long count) {
    BitSet all = new BitSet();
    all.set(0, Math.toIntExact(count));
    return all;
  }

  private void remove(String of, BitSet itsBuckets) throws IOException {
    List<Function<AbstractPipeline, Response<Long>>> commands = new ArrayList<>();
    itsBuckets.stream().mapToObj(bucket -> key(of, bucket))
        .forEach(key -> commands.add(p -> p.unlink(key)));
    byte[] owners = owners();
    byte[] owner = bytes(of);
    commands.add(p -> p.hdel(owners, owner));
    server.send(commands);
  }

  private byte[] owners() {
    return bytes(prefix + ":kernels");
  }

  private byte[] key(String of, long bucket) {
    return bytes(prefix + ":" + of + ":" + bucket);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A page on the server. */
  private record Field(long slot, int write) {
    byte[] name() {
      return ByteBuffer.allocate(5).putInt(write).put((byte) slot).array();
    }
  }
}
