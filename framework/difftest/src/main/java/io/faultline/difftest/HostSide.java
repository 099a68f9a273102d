// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.device.DeviceNumber;
import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.BareProgram;
import io.faultline.host.ptrace.Launch;
import io.faultline.host.ptrace.RemoteSyscalls;
import io.faultline.host.ptrace.Signals;
import io.faultline.host.ptrace.Stop;
import io.faultline.host.ptrace.TracedProcess;
import io.faultline.host.ptrace.Tracer;
import io.faultline.kernel.Limits;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.Meta;
import io.faultline.replay.recording.NodeMask;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.SetLimit;
import io.faultline.replay.recording.SystemCall;
import io.faultline.replay.recording.Touch;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A history on this machine's kernel: a bare child process, and what it leaves behind by forking.
 * Confined to its tracer's thread.
 */
final class HostSide implements AutoCloseable {
  private static final int MAX_ERRNO = 4095;
  private static final int NOBODY = 65534;
  private static final long STACK = 8 << 20;
  private static final int TRUNCATION_MILLIS = 100;
  private static final int TRUNCATION_SECONDS = 10;
  private static final int ADDR_COMPAT_LAYOUT = 0x20_0000;
  private static final Map<String, Integer> RESOURCES =
      Map.of(
          "RLIMIT_DATA", 2, "RLIMIT_STACK", 3, "RLIMIT_CORE", 4, "RLIMIT_MEMLOCK", 8,
          "RLIMIT_AS", 9);

  private final Tracer tracer;
  private final MemorySegment limit;
  private final List<TracedProcess> others = new ArrayList<>();
  private final List<Note.FileDescriptor> descriptors;
  private final Meta meta;
  private final HostSegments segments;
  private TracedProcess current;
  private RemoteSyscalls calls;
  private Note.@Nullable NewObject made;
  private String maps;

  private HostSide(
      Tracer tracer, MemorySegment limit, TracedProcess process,
      List<Note.FileDescriptor> descriptors, HostSegments segments, Variant variant)
      throws HostException {
    this.segments = segments;
    this.tracer = tracer;
    this.limit = limit;
    this.current = process;
    this.calls = process.syscalls(BareProgram.GADGETS);
    this.descriptors = descriptors;
    this.maps = process.proc().maps();
    this.meta = HostFacts.of(process.proc(), tracer.calls().kernelRelease(), variant);
  }

  /**
   * Starts a child.
   *
   * @param limit 32 bytes of scratch memory
   * @param program a {@link BareProgram}
   * @param segments System V memory that it can attach
   * @param variant what kind of process it is
   */
  static HostSide start(
      Tracer tracer, MemorySegment limit, Path program, HostFiles files, HostSegments segments,
      Variant variant) throws HostException {
    Launch launch = BareProgram.launch(program);
    if (variant.legacyLayout()) {
      launch = launch.withPersonality(Launch.NO_RANDOMIZATION | ADDR_COMPAT_LAYOUT);
    }
    TracedProcess process = tracer.launch(launch.prepared(remote -> {
      files.openIn(remote);
      // It decides at execve where the mappings begin.
      setLimit(tracer, limit, remote.pid(), "RLIMIT_STACK",
          variant.wideStack() ? Limits.UNLIMITED : STACK, Limits.UNLIMITED);
      setLimit(tracer, limit, remote.pid(), "RLIMIT_MEMLOCK", STACK, Limits.UNLIMITED);
      if (variant.nobody()) {
        remote.call(SyscallNumber.SETGROUPS, 0, 0);
        remote.call(SyscallNumber.SETGID, NOBODY);
        remote.call(SyscallNumber.SETUID, NOBODY);
      }
    }));
    process.shareProcessor();
    if (variant.wideStack()) {
      // A stack without a limit grows by half a gigabyte at a touch, and then may be locked.
      setLimit(tracer, limit, process.pid(), "RLIMIT_STACK", STACK, Limits.UNLIMITED);
    }
    return new HostSide(tracer, limit, process, files.notes(), segments, variant);
  }

  Meta meta() {
    return meta;
  }

  List<Note.FileDescriptor> descriptors() {
    return descriptors;
  }

  /** The maps text after the last step. */
  String maps() {
    return maps;
  }

  /** The flags of all areas, a line each. */
  String vmFlags() throws HostException {
    StringBuilder flags = new StringBuilder();
    String range = "";
    for (String line : current.proc().smaps().split("\n")) {
      if (line.startsWith("VmFlags:")) {
        flags.append(range).append(' ').append(line.substring(8).strip()).append('\n');
      } else if (!line.isEmpty() && Character.digit(line.charAt(0), 16) >= 0
          && line.indexOf('-') > 0) {
        range = line.substring(0, line.indexOf(' '));
      }
    }
    return flags.toString();
  }

  /** The object that the last step created, null for none. */
  Note.@Nullable NewObject made() {
    return made;
  }

  /** Carries out a step; the answer is as recordings write it. */
  String apply(Event event) throws HostException {
    made = null;
    String before = maps;
    Note.NewObject ring =
        event instanceof SystemCall.IoDestroy destroy ? objectAt(destroy.context()) : null;
    String result = switch (event) {
      case SystemCall call -> call(call);
      case Touch touch ->
          (touch.access() == Access.WRITE
              ? calls.touchWrite(touch.address())
              : calls.touchRead(touch.address())).toString();
      case SetLimit change -> {
        Long soft = change.soft();
        setLimit(tracer, limit, current.pid(), change.resource(), soft == null ? -1 : soft,
            change.hard());
        yield "0";
      }
      case Note.Child child -> fork(child.exits(), false);
      case Note.Follow follow -> fork(false, true);
      case Note.OthersExit all -> {
        for (TracedProcess other : others) {
          other.close();
        }
        others.clear();
        yield "0";
      }
      default -> throw new IllegalArgumentException("event: " + event + " is no step");
    };
    maps = current.proc().maps();
    if (ring != null && result.equals("0")) {
      awaitTruncation(ring);
    }
    if (event instanceof SystemCall.Mmap mmap && result.startsWith("0x")
        && (mmap.flags() & Mman.MAP_SHARED) != 0
        && ((mmap.flags() & Mman.MAP_ANONYMOUS) != 0 || mmap.fd() == HostFiles.DEV_ZERO)) {
      made = objectAt(Long.parseUnsignedLong(result, 2, result.length(), 16));
    } else if (event instanceof SystemCall.Shmat shmat) {
      made = segments.note(shmat.id());
    } else if (event instanceof SystemCall.IoSetup && result.equals("0")) {
      made = newRing(before);
    }
    return result;
  }

  /**
   * Lets the process die of SIGSEGV, so that the kernel dumps its core where {@code core_pattern}
   * says. Nothing else may be asked of it afterwards.
   *
   * @param filter {@code /proc/PID/coredump_filter}
   */
  void dumpCore(int filter) throws HostException {
    int pid = current.pid();
    setLimit(tracer, limit, pid, "RLIMIT_CORE", -1, -1);
    try {
      Files.writeString(Path.of("/proc/" + pid + "/coredump_filter"), Integer.toString(filter));
    } catch (IOException e) {
      throw new HostException("/proc/" + pid + "/coredump_filter: " + e);
    }
    current.signal(Signals.SEGV);
    int deliver = 0;
    while (true) {
      current.main().resume(deliver);
      Stop stop = tracer.await(pid);
      if (stop.ended()) {
        current.ended(stop);
        return;
      }
      deliver = stop.atSignal() && stop.signal() == Signals.SEGV ? Signals.SEGV : 0;
    }
  }

  private String fork(boolean exits, boolean follow) throws HostException {
    TracedProcess child;
    try {
      child = calls.fork();
    } catch (HostException e) {
      if (e.errno() == 0) {
        throw e;
      }
      return "-1 " + Errnos.name(e.errno());
    }
    if (exits) {
      child.close();
    } else if (follow) {
      others.add(current);
      current = child;
      calls = child.syscalls(BareProgram.GADGETS);
    } else {
      others.add(child);
    }
    return "forked";
  }

  /**
   * What mincore has written.
   *
   * @return null when it cannot be read
   */
  byte @Nullable [] vector(SystemCall.Mincore call) {
    int pages = (int) ((call.length() + 4095) >>> 12);
    try {
      return pages == 0 ? new byte[0] : calls.memory().read(call.vector(), pages);
    } catch (HostException unreadable) {
      return null;
    }
  }

  /**
   * Linux cuts off the ring's file after the call, when no processor looks at it any more: what is
   * left of the ring can be touched until then.
   */
  private void awaitTruncation(Note.NewObject ring) {
    for (String line : maps.split("\n")) {
      Note.NewObject left = line.contains(" /[aio]") ? object(line, false) : null;
      if (left != null && left.name().number() == ring.name().number()) {
        int dash = line.indexOf('-');
        awaitEmpty(
            Path.of(
                "/proc/%d/map_files/%x-%x".formatted(
                    current.pid(), Long.parseUnsignedLong(line, 0, dash, 16),
                    Long.parseUnsignedLong(line, dash + 1, line.indexOf(' '), 16))));
      }
    }
  }

  private static void awaitEmpty(Path mapped) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TRUNCATION_SECONDS);
    try {
      try {
        while (Files.size(mapped) > 0 && System.nanoTime() - end < 0) {
          Thread.sleep(1);
        }
      } catch (IOException notAllowed) {
        // Only root may look. It takes a few milliseconds on a machine that is not busy.
        Thread.sleep(TRUNCATION_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The one ring whose object was not there before. */
  private Note.@Nullable NewObject newRing(String before) {
    for (String line : maps.split("\n")) {
      if (line.contains(" /[aio]") && !before.contains(line.substring(line.indexOf(' ')))) {
        return object(line, true);
      }
    }
    return null;
  }

  private Note.@Nullable NewObject objectAt(long address) {
    for (String line : maps.split("\n")) {
      int dash = line.indexOf('-');
      long start = Long.parseUnsignedLong(line, 0, dash, 16);
      long end = Long.parseUnsignedLong(line, dash + 1, line.indexOf(' '), 16);
      if (Long.compareUnsigned(start, address) <= 0 && Long.compareUnsigned(address, end) < 0) {
        return object(line, false);
      }
    }
    return null;
  }

  /** The object of a line of maps. */
  private static Note.@Nullable NewObject object(String line, boolean sized) {
    String[] words = line.split(" +", 6);
    if (words.length < 6) {
      return null;
    }
    int dash = line.indexOf('-');
    long start = Long.parseUnsignedLong(line, 0, dash, 16);
    long end = Long.parseUnsignedLong(line, dash + 1, line.indexOf(' '), 16);
    int colon = words[3].indexOf(':');
    return new Note.NewObject(0,
        new Note.FileName(
            new DeviceNumber(Integer.parseInt(words[3], 0, colon, 16),
                Integer.parseInt(words[3], colon + 1, words[3].length(), 16)),
            Long.parseLong(words[4]), words[5]),
        sized ? end - start : -1);
  }

  /** Sets a limit; hard ones are lowered at most, since raising one takes a capability. */
  private static void setLimit(
      Tracer tracer, MemorySegment limit, int pid, String resource, long soft, long hard)
      throws HostException {
    int number = RESOURCES.getOrDefault(resource, -1);
    tracer.calls().call(SyscallNumber.PRLIMIT64, pid, number, 0, limit.address());
    long most = limit.get(ValueLayout.JAVA_LONG, 8);
    if (Long.compareUnsigned(hard, most) < 0) {
      most = hard;
    }
    limit.set(ValueLayout.JAVA_LONG, 0, Long.compareUnsigned(soft, most) < 0 ? soft : most);
    limit.set(ValueLayout.JAVA_LONG, 8, most);
    long result = tracer.calls().call(SyscallNumber.PRLIMIT64, pid, number, limit.address(), 0);
    if (result < 0) {
      throw new HostException("prlimit64 of " + resource + ": " + Errnos.describe((int) -result),
          (int) -result);
    }
  }

  private String call(SystemCall call) throws HostException {
    return switch (call) {
      case SystemCall.Mmap c -> address(calls.call(SyscallNumber.MMAP, c.address(), c.length(),
          c.prot() & 0xffffffffL, c.flags() & 0xffffffffL, c.fd(), c.offset()));
      case SystemCall.Munmap c ->
          number(calls.call(SyscallNumber.MUNMAP, c.address(), c.length()));
      case SystemCall.Mprotect c -> number(
          calls.call(SyscallNumber.MPROTECT, c.address(), c.length(), c.prot() & 0xffffffffL));
      case SystemCall.PkeyMprotect c -> number(calls.call(SyscallNumber.PKEY_MPROTECT,
          c.address(), c.length(), c.prot() & 0xffffffffL, c.pkey()));
      case SystemCall.PkeyAlloc c ->
          number(calls.call(SyscallNumber.PKEY_ALLOC, c.flags(), c.rights()));
      case SystemCall.PkeyFree c -> number(calls.call(SyscallNumber.PKEY_FREE, c.pkey()));
      case SystemCall.Brk c -> address(calls.call(SyscallNumber.BRK, c.address()));
      case SystemCall.Mremap c -> address(calls.call(SyscallNumber.MREMAP, c.oldAddress(),
          c.oldLength(), c.newLength(), c.flags() & 0xffffffffL, c.newAddress(), 0));
      case SystemCall.Madvise c -> number(
          calls.call(SyscallNumber.MADVISE, c.address(), c.length(), c.advice()));
      case SystemCall.Msync c ->
          number(calls.call(SyscallNumber.MSYNC, c.address(), c.length(), c.flags()));
      case SystemCall.Mlock c -> number(calls.call(SyscallNumber.MLOCK, c.address(), c.length()));
      case SystemCall.Mlock2 c ->
          number(calls.call(SyscallNumber.MLOCK2, c.address(), c.length(), c.flags()));
      case SystemCall.Munlock c ->
          number(calls.call(SyscallNumber.MUNLOCK, c.address(), c.length()));
      case SystemCall.Mlockall c -> number(calls.call(SyscallNumber.MLOCKALL, c.flags()));
      case SystemCall.Munlockall c -> number(calls.call(SyscallNumber.MUNLOCKALL));
      case SystemCall.Mincore c ->
          number(calls.call(SyscallNumber.MINCORE, c.address(), c.length(), c.vector()));
      case SystemCall.Mseal c ->
          number(calls.call(SyscallNumber.MSEAL, c.address(), c.length(), c.flags()));
      case SystemCall.RemapFilePages c -> number(calls.call(SyscallNumber.REMAP_FILE_PAGES,
          c.address(), c.size(), c.prot() & 0xffffffffL, c.pageOffset(), c.flags() & 0xffffffffL,
          0));
      case SystemCall.Shmat c -> address(
          calls.call(SyscallNumber.SHMAT, segments.realId(c.id()), c.address(), c.flags()));
      case SystemCall.Shmdt c -> number(calls.call(SyscallNumber.SHMDT, c.address()));
      case SystemCall.IoSetup c ->
          number(calls.call(SyscallNumber.IO_SETUP, c.events() & 0xffffffffL, c.pointer()));
      case SystemCall.IoDestroy c -> number(calls.call(SyscallNumber.IO_DESTROY, c.context()));
      case SystemCall.Prctl c -> number(calls.call(SyscallNumber.PRCTL,
          c.option() & 0xffffffffL, c.a(), c.b(), c.c(), c.d(), 0));
      case SystemCall.Mbind c -> number(calls.call(SyscallNumber.MBIND, c.address(), c.length(),
          c.mode(), mask(c.mask()), c.maxNode(), c.flags()));
      case SystemCall.SetMempolicy c -> number(
          calls.call(SyscallNumber.SET_MEMPOLICY, c.mode(), mask(c.mask()), c.maxNode()));
      case SystemCall.Unlisted c ->
          throw new IllegalArgumentException("call: " + c + " is not generated");
    };
  }

  private static long mask(NodeMask mask) {
    return mask.isNone() ? 0 : BareProgram.mask(mask.known().getFirst());
  }

  private static String number(long result) {
    return isError(result) ? error(result) : Long.toString(result);
  }

  private static String address(long result) {
    if (isError(result)) {
      return error(result);
    }
    return result == 0 ? "0" : "0x" + Long.toHexString(result);
  }

  private static boolean isError(long result) {
    return result < 0 && result >= -MAX_ERRNO;
  }

  private static String error(long result) {
    return "-1 " + Errnos.name((int) -result);
  }

  @Override
  public void close() throws HostException {
    for (TracedProcess other : others) {
      other.close();
    }
    current.close();
  }
}
