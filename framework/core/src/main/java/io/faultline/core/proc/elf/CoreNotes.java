// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import io.faultline.device.Inode;
import io.faultline.kernel.Credentials;
import io.faultline.mm.Mman;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The notes of a core, in the kernel's order: PRSTATUS, PRPSINFO, SIGINFO where there is a signal,
 * AUXV, FILE. Layouts of x86-64.
 */
final class CoreNotes {
  private static final int NT_PRSTATUS = 1;
  private static final int NT_PRPSINFO = 3;
  private static final int NT_AUXV = 6;
  private static final int NT_FILE = 0x4649_4c45;
  private static final int NT_SIGINFO = 0x5349_4749;

  private static final int PRSTATUS_SIZE = 336;
  private static final int PRSTATUS_REGISTERS = 112;
  private static final int REGISTER_ORIG_RAX = 15;
  private static final int REGISTER_RIP = 16;
  private static final int REGISTER_CS = 17;
  private static final int REGISTER_RSP = 19;
  private static final int REGISTER_SS = 20;
  /** The segments of every 64-bit program. */
  private static final int USER_CS = 0x33;
  private static final int USER_DS = 0x2b;

  private static final int PRPSINFO_SIZE = 136;
  private static final int NAME_LENGTH = 16;
  private static final int ARGUMENTS_LENGTH = 80;

  private static final int SIGINFO_SIZE = 128;

  private static final int AT_PAGESZ = 6;
  private static final int AT_UID = 11;
  private static final int AT_EUID = 12;
  private static final int AT_GID = 13;
  private static final int AT_EGID = 14;
  private static final int AT_CLKTCK = 17;
  private static final int AT_SECURE = 23;
  private static final long CLOCK_TICKS = 100;

  /** A longer list of files is left out, as the kernel does ({@code MAX_FILE_NOTE_SIZE}). */
  private static final int MAX_FILE_NOTE = 4 << 20;

  /** Names are one byte a character throughout. */
  private static final Charset BYTES = StandardCharsets.ISO_8859_1;

  private final CoreProcess process;
  private final List<AreaSnapshot> areas;
  private final ByteArrayOutputStream notes = new ByteArrayOutputStream();

  private CoreNotes(CoreProcess process, List<AreaSnapshot> areas) {
    this.process = process;
    this.areas = areas;
  }

  static byte[] of(CoreProcess process, List<AreaSnapshot> areas) {
    CoreNotes notes = new CoreNotes(process, areas);
    notes.add(NT_PRSTATUS, notes.status());
    notes.add(NT_PRPSINFO, notes.information());
    DeathSignal signal = process.signal();
    if (signal != null) {
      notes.add(NT_SIGINFO, signal(signal));
    }
    notes.add(NT_AUXV, notes.auxiliaryVector());
    byte[] files = notes.files();
    if (files.length <= MAX_FILE_NOTE) {
      notes.add(NT_FILE, files);
    }
    return notes.notes.toByteArray();
  }

  private void add(int type, byte[] description) {
    byte[] name = {'C', 'O', 'R', 'E', 0, 0, 0, 0};
    ByteBuffer header = buffer(12 + name.length);
    header.putInt(5).putInt(description.length).putInt(type).put(name);
    notes.writeBytes(header.array());
    notes.writeBytes(description);
    notes.writeBytes(new byte[-description.length & 3]);
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** {@code struct elf_prstatus}. */
  private byte[] status() {
    ByteBuffer status = buffer(PRSTATUS_SIZE);
    DeathSignal signal = process.signal();
    if (signal != null) {
      int number = signal.signal().number();
      status.putInt(0, number).putInt(4, signal.code()).putShort(12, (short) number);
      if (signal.fetch()) {
        register(status, REGISTER_RIP, signal.address());
      }
    }
    status.putInt(32, process.pid()).putInt(36, process.parentPid());
    status.putInt(40, process.pid()).putInt(44, process.pid());
    register(status, REGISTER_ORIG_RAX, -1);
    register(status, REGISTER_CS, USER_CS);
    register(status, REGISTER_RSP, process.space().layout().startStack());
    register(status, REGISTER_SS, USER_DS);
    return status.array();
  }

  private static void register(ByteBuffer status, int number, long value) {
    status.putLong(PRSTATUS_REGISTERS + number * Long.BYTES, value);
  }

  /** {@code struct elf_prpsinfo}. */
  private byte[] information() {
    ByteBuffer information = buffer(PRPSINFO_SIZE);
    information.put(1, (byte) 'R');
    information.putInt(16, process.space().credentials().uid());
    information.putInt(24, process.pid()).putInt(28, process.parentPid());
    information.putInt(32, process.pid()).putInt(36, process.pid());
    text(information, 40, NAME_LENGTH, process.name());
    text(information, 56, ARGUMENTS_LENGTH, String.join(" ", process.arguments()));
    return information.array();
  }

  /** A text of at most one byte less than there is room. */
  private static void text(ByteBuffer target, int offset, int room, String text) {
    byte[] bytes = text.getBytes(BYTES);
    target.put(offset, bytes, 0, Math.min(bytes.length, room - 1));
  }

  /** {@code siginfo_t}. */
  private static byte[] signal(DeathSignal signal) {
    ByteBuffer information = buffer(SIGINFO_SIZE);
    information.putInt(signal.signal().number()).putInt(0).putInt(signal.code());
    information.putLong(16, signal.address());
    return information.array();
  }

  private byte[] auxiliaryVector() {
    SortedMap<Integer, Long> entries = new TreeMap<>();
    Credentials credentials = process.space().credentials();
    entries.put(AT_PAGESZ, (long) Mman.PAGE_SIZE);
    entries.put(AT_CLKTCK, CLOCK_TICKS);
    entries.put(AT_UID, (long) credentials.uid());
    entries.put(AT_EUID, (long) credentials.uid());
    // There are no groups: everybody is in root's.
    entries.put(AT_GID, 0L);
    entries.put(AT_EGID, 0L);
    entries.put(AT_SECURE, 0L);
    // No AT_SYSINFO_EHDR: the vdso is there, but no ELF file is in it, and gdb would load it.
    entries.putAll(process.auxiliary());
    ByteBuffer vector = buffer((entries.size() + 1) * 2 * Long.BYTES);
    for (Map.Entry<Integer, Long> entry : entries.entrySet()) {
      vector.putLong(entry.getKey()).putLong(entry.getValue());
    }
    return vector.array();
  }

  /** Count, page size; start, end, offset in pages of each; the names. */
  private byte[] files() {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    List<AreaSnapshot> mapped = areas.stream().filter(area -> area.file() != null).toList();
    ByteBuffer ranges = buffer((2 + 3 * mapped.size()) * Long.BYTES);
    ranges.putLong(mapped.size()).putLong(Mman.PAGE_SIZE);
    for (AreaSnapshot area : mapped) {
      ranges.putLong(area.start()).putLong(area.end()).putLong(area.pageOffset());
      Inode file = area.file();
      names.writeBytes((file == null ? "" : file.path()).getBytes(BYTES));
      names.write(0);
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(ranges.array());
    all.writeBytes(names.toByteArray());
    return all.toByteArray();
  }
}
