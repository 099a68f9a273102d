// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;

/**
 * A program that does nothing by itself: one page of text with the instructions that
 * {@link RemoteSyscalls} steps over and a few masks, one page of data, no library, no use of its stack. Its address space
 * changes only by what it is told to do. An ELF file made here, so that no compiler is needed.
 */
public final class BareProgram {
  /** Where its text lies. */
  public static final long TEXT = 0x400000;

  /** Where its data lies: one page, private, writable, of the file. */
  public static final long DATA = 0x402000;

  private static final int PAGE = 4096;
  private static final int HEADER = 64;
  private static final int PROGRAM_HEADER = 56;
  private static final int CODE = 0x200;

  /** {@code jmp .}: it spins if it is ever let go. */
  private static final byte[] INSTRUCTIONS = {
    (byte) 0xeb, (byte) 0xfe, // 0: jmp 0
    0x0f, 0x05, (byte) 0x90, // 2: syscall; nop
    (byte) 0x8a, 0x07, (byte) 0x90, // 5: mov (%rdi),%al; nop
    (byte) 0x88, 0x07, (byte) 0x90, // 8: mov %al,(%rdi); nop
    0x0f, 0x01, (byte) 0xef, (byte) 0x90, // 11: wrpkru; nop
  };

  /** Where its instructions lie. */
  public static final Gadgets GADGETS =
      new Gadgets(TEXT + CODE + 2, TEXT + CODE + 5, TEXT + CODE + 8, TEXT + CODE + 11);

  /** Masks of nodes in its text, which nothing changes: 0, 1, 2 and 3, each with zeros behind. */
  private static final int MASKS = 0x400;

  private static final int MASK_BYTES = 0x100;
  private static final int MASK_COUNT = 4;

  private BareProgram() {}

  /**
   * Where its text holds a word with zeros behind it, up to 256 bytes in all.
   *
   * @param word 0 to 3
   */
  public static long mask(long word) {
    if (word < 0 || word >= MASK_COUNT) {
      throw new IllegalArgumentException("word: " + word + " is not in 0..3");
    }
    return TEXT + MASKS + word * MASK_BYTES;
  }

  /**
   * Writes the program.
   *
   * @param file must not exist yet, on a file system that allows executing
   * @return the file
   */
  public static Path writeTo(Path file) throws IOException {
    Files.createFile(file,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    return Files.write(file, image());
  }

  /** How to start it: no arguments, no variables, no input and no output. */
  public static Launch launch(Path file) {
    String path = file.toAbsolutePath().toString();
    return Launch.of(path, List.of(path)).withEnvironment(Map.of()).withoutInput()
        .withoutOutput();
  }

  private static byte[] image() {
    ByteBuffer elf = ByteBuffer.allocate(2 * PAGE).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    elf.putShort((short) 2).putShort((short) 62).putInt(1); // ET_EXEC, x86-64, version
    elf.putLong(TEXT + CODE).putLong(HEADER).putLong(0); // entry, program headers, no sections
    elf.putInt(0).putShort((short) HEADER);
    elf.putShort((short) PROGRAM_HEADER).putShort((short) 3);
    elf.putShort((short) 64).putShort((short) 0).putShort((short) 0);
    segment(elf, 1, 5, 0, TEXT, PAGE); // PT_LOAD, r-x
    segment(elf, 1, 6, PAGE, DATA, PAGE); // PT_LOAD, rw-
    segment(elf, 0x6474e551, 6, 0, 0, 0); // PT_GNU_STACK, rw-
    elf.position(CODE).put(INSTRUCTIONS);
    for (int word = 0; word < MASK_COUNT; word++) {
      elf.putLong(MASKS + word * MASK_BYTES, word);
    }
    return elf.array();
  }

  private static void segment(
      ByteBuffer elf, int type, int flags, long offset, long address, long bytes) {
    elf.putInt(type).putInt(flags).putLong(offset).putLong(address).putLong(address);
    elf.putLong(bytes).putLong(bytes).putLong(PAGE);
  }
}
