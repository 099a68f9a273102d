// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.ProcFiles;
import io.faultline.host.ptrace.TracedProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The recording of one address space, from {@code execve} to its end. All threads of the process stand
 * still whenever this is asked to look.
 */
final class Session implements AutoCloseable {
  /** A whole look at the maps costs; the digests are what finds a difference. */
  private static final int CALLS_BETWEEN_CHECKPOINTS = 500;

  private static final int MAP_SHARED_BIT = 1;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int SHARED_VALIDATE = 3;
  private static final int MAP_TYPE = 0xf;
  private static final int ARGUMENTS = 1 << 20;
  /** Words of the largest mask of nodes that there can be. */
  private static final int MASK_WORDS = 16;

  private final LinuxCalls calls;
  private final TracedProcess process;
  private final ProcFiles proc;
  private final Map<String, Object> meta;
  private final List<String> command;
  private final History history = new History();
  private final Descriptors descriptors;
  private final AddressSpace space;
  private final Snapshot begin;
  private @Nullable Snapshot beforeExec;
  private @Nullable Snapshot end;
  private Descriptors.Found file = Descriptors.Found.NOTHING;
  private String mask = "";
  private int memoryCalls;
  private int named;

  /** Begins at a process that has just become the program to record. */
  Session(LinuxCalls calls, TracedProcess process, Machine machine) throws HostException {
    this.calls = calls;
    this.process = process;
    this.proc = process.proc();
    this.command = command(proc);
    this.meta = machine.describe(calls, process, command);
    this.descriptors = new Descriptors(calls, process.pid());
    this.space = new AddressSpace(proc);
    this.begin = Snapshot.of(proc, process.pid(), space.maps());
    history.note("execve(%s, [%s], NULL) = 0".formatted(
        CallText.quoted(proc.link("exe")),
        String.join(", ", command.stream().map(CallText::quoted).toList())));
    if (!Machine.addressesFixed(proc)) {
      history.warn("the addresses are random: the kernel insists on that for a program with the"
          + " set-user-ID or set-group-ID bit; record a copy of it");
    }
    look();
    history.checkpoint("000", begin);
  }

  /** A memory call is about to be made. */
  void before(Entered call) throws HostException {
    look();
    file = Descriptors.Found.NOTHING;
    if (call.number() == SyscallNumber.MMAP && (call.arg(3) & MAP_ANONYMOUS) == 0
        && call.intArg(4) >= 0) {
      List<String> notes = new ArrayList<>();
      file = descriptors.look(call.intArg(4), notes);
      notes.forEach(history::note);
    }
    mask = switch (call.number()) {
      case SyscallNumber.MBIND -> mask(call.arg(3), call.arg(4));
      case SyscallNumber.SET_MEMPOLICY -> mask(call.arg(1), call.arg(2));
      default -> "";
    };
  }

  /**
   * A mask of nodes as strace shows it, {@code [0x1]}: a replay has not what the program's memory
   * holds.
   *
   * @return empty when there is none or it cannot be read
   */
  private String mask(long address, long maxNode) {
    long words = Math.min((maxNode - 1 + Long.SIZE - 1) / Long.SIZE, MASK_WORDS);
    if (address == 0 || words <= 0) {
      return "";
    }
    List<String> texts = new ArrayList<>();
    try {
      for (int i = 0; i < words; i++) {
        texts.add("0x" + Long.toHexString(process.memory().readLong(address + 8L * i)));
      }
    } catch (HostException unreadable) {
      return "";
    }
    return texts.toString();
  }

  /**
   * A memory call has been made.
   *
   * @param tid the thread that made it
   */
  void after(Entered call, long result, int tid) throws HostException {
    space.lookBehind(call, result).forEach(name -> history.note("@path " + name));
    newObject(call, result);
    history.call(
        CallText.line(call, mask.isEmpty() ? file.text() : mask, result), space.digest());
    if (++memoryCalls % CALLS_BETWEEN_CHECKPOINTS == 0) {
      history.checkpoint(
          "%03d".formatted(++named), Snapshot.of(proc, tid, space.maps()));
    }
  }

  /** A task has been made; the maps stay as they are. */
  void task(Entered call, long result) {
    history.call(CallText.line(call, "", result));
  }

  /** A limit may have been changed. */
  void limit(int target, int resource) throws HostException {
    if (target == 0 || target == process.pid()) {
      history.call(CallText.limit(resource,
          Machine.limit(calls, process.pid(), resource, 0),
          Machine.limit(calls, process.pid(), resource, 1)));
    }
  }

  /** A call that closes descriptors is about to be made. */
  void closing(Entered call) {
    descriptors.closing(call);
  }

  /** The recording does not explain something. */
  void warn(String text) {
    history.warn(text);
  }

  /**
   * The address space is about to go.
   *
   * @param tid a thread that is alive
   */
  void finish(int tid) throws HostException {
    if (end == null) {
      look();
      Snapshot last = Snapshot.of(proc, tid, space.maps());
      history.checkpoint("end", last);
      end = last;
    }
  }

  /**
   * The process is about to become another program, if the kernel lets it.
   *
   * @param tid a thread that is alive
   */
  void lookBeforeExec(int tid) throws HostException {
    look();
    beforeExec = Snapshot.of(proc, tid, space.maps());
  }

  /** It has become another program. */
  void finishAsBeforeExec() {
    Snapshot last = beforeExec;
    if (end == null && last != null) {
      history.checkpoint("end", last);
      end = last;
    }
  }

  boolean finished() {
    return end != null;
  }

  int calls() {
    return history.calls();
  }

  List<String> command() {
    return command;
  }

  Map<String, Object> meta() {
    return meta;
  }

  History history() {
    return history;
  }

  Snapshot begin() {
    return begin;
  }

  Snapshot end() {
    return Objects.requireNonNull(end, "the end was never seen");
  }

  @Override
  public void close() {
    descriptors.close();
  }

  /** Notes what the program did to its memory by itself. */
  private void look() throws HostException {
    AddressSpace.Changes changes = space.look();
    changes.renamed().forEach(file -> history.note("@path " + file));
    for (String line : changes.unexplained()) {
      history.warn("the maps changed without a call: " + line);
    }
    changes.touches().forEach(history::touch);
  }

  /** Notes an object that the call has made: its number cannot be foreseen. */
  private void newObject(Entered call, long result) throws HostException {
    if (CallText.failed(result)) {
      return;
    }
    long address;
    boolean sized = true;
    switch (call.number()) {
      case SyscallNumber.MMAP -> {
        boolean shared = (call.arg(3) & MAP_TYPE) == MAP_SHARED_BIT
            || (call.arg(3) & MAP_TYPE) == SHARED_VALIDATE;
        if (!shared || (call.arg(3) & MAP_ANONYMOUS) == 0 && !file.zeroDevice()) {
          return;
        }
        address = result;
        sized = false;
      }
      case SyscallNumber.SHMAT -> address = result;
      // The context that it hands out is the ring's address.
      case SyscallNumber.IO_SETUP -> address = process.memory().readLong(call.arg(1));
      default -> {
        return;
      }
    }
    Area area = space.at(address);
    String object = area == null ? null : area.file();
    if (area == null || object == null) {
      history.warn("a new object at 0x%x does not show in the maps".formatted(address));
      return;
    }
    int blank = object.indexOf(' ');
    history.note("@newobj %sdev=%s ino=%s path=%s".formatted(
        sized ? "addr=0x%x len=%d ".formatted(area.start, area.end - area.start) : "",
        object.substring(0, blank), object.substring(blank + 1), area.name));
  }

  /** What the process was called with, from its own memory. */
  private static List<String> command(ProcFiles proc) throws HostException {
    String words = proc.read("cmdline");
    if (words.length() > ARGUMENTS) {
      words = words.substring(0, ARGUMENTS);
    }
    List<String> command = new ArrayList<>(List.of(words.split("\0", -1)));
    // A zero byte ends each of them.
    command.removeLast();
    return command;
  }
}
