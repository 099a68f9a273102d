// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.difftest;

import io.faultline.host.linux.HostException;
import io.faultline.kernel.Credentials;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.KernelProfile.TransparentHugePages;
import io.faultline.kernel.Limits;
import io.faultline.kernel.MmLayout;
import io.faultline.replay.recording.Digest;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.Meta;
import io.faultline.replay.recording.Note;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Carries steps out on this machine's kernel once more and writes what it does as a recording. */
final class RecordingWriter {
  private final HostSide host;
  private final Path directory;
  private final StringBuilder calls = new StringBuilder();
  private final StringBuilder digests = new StringBuilder();
  private int lines;

  private RecordingWriter(HostSide host, Path directory) {
    this.host = host;
    this.directory = directory;
  }

  /**
   * Writes a recording.
   *
   * @param host a fresh child
   * @param directory is made
   * @param level and seed of the history that the steps come from
   */
  static void write(
      HostSide host, Path program, Path directory, List<Event> steps, int level, long seed)
      throws HostException {
    try {
      Files.createDirectories(directory.resolve("checkpoints"));
      new RecordingWriter(host, directory).write(program, steps, level, seed);
    } catch (IOException e) {
      throw new HostException("cannot write the recording " + directory + ": " + e);
    }
  }

  private void write(Path program, List<Event> steps, int level, long seed)
      throws HostException, IOException {
    file("maps.begin", host.maps());
    file("vmflags.begin", host.vmFlags());
    file("meta.json", meta(host.meta(), steps.size(), level, seed));
    line("execve(\"" + program + "\", [\"" + program + "\"], NULL) = 0");
    digest();
    line("touch_write(0x" + Long.toHexString(host.meta().layout().startStack()) + ") = ok");
    digest();
    for (Note.FileDescriptor descriptor : host.descriptors()) {
      line(StraceText.of(descriptor, ""));
    }
    for (Event step : steps) {
      String result = host.apply(step);
      Note.NewObject made = host.made();
      if (made != null) {
        line(StraceText.of(made, ""));
      }
      if (result.startsWith("-1 ") && step instanceof Note) {
        // A fork that the kernel refused: the format has no line for it.
        continue;
      }
      line(StraceText.of(step, result));
      digest();
    }
    line("@checkpoint end");
    file("calls.strace", calls.toString());
    file("digests.txt", digests.toString());
    for (String name : List.of("maps.end", "checkpoints/end.maps")) {
      file(name, host.maps());
    }
    for (String name : List.of("vmflags.end", "checkpoints/end.vmflags")) {
      file(name, host.vmFlags());
    }
  }

  private void line(String text) {
    calls.append(text).append('\n');
    lines += (int) text.lines().count();
  }

  private void digest() {
    digests.append(lines).append(' ').append(Digest.of(host.maps())).append('\n');
  }

  private void file(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text, StandardCharsets.ISO_8859_1);
  }

  private static String meta(Meta meta, int steps, int level, long seed) {
    KernelProfile profile = meta.profile();
    MmLayout mm = meta.layout();
    Limits limits = meta.limits();
    Credentials who = meta.credentials();
    return """
        {
          "format": "vmrec-1",
          "kernel": "%s",
          "arch": "x86_64",
          "page_size": 4096,
          "argv": ["target"],
          "thp_enabled": "%s",
          "vm.mmap_min_addr": "%d",
          "vm.max_map_count": "%d",
          "vm.overcommit_memory": "%d",
          "vm.overcommit_ratio": "%d",
          "vm.legacy_va_layout": "0",
          "vm.nr_hugepages": "%d",
          "lsm_mmap_min_addr": %d,
          "stack_guard_gap_pages": %d,
          "cpu_pku": %b,
          "mem_total_kb": %d,
          "swap_total_kb": %d,
          "rlimits": {"stack": %s, "as": %s, "data": %s, "memlock": %s},
          "personality": "%s",
          "uid": %d,
          "cap_ipc_lock": %b,
          "cap_sys_rawio": %b,
          "cap_sys_admin": %b,
          "cap_sys_resource": %b,
          "mm": {"start_stack": "0x%x", "start_data": "0x%x", "end_data": "0x%x", \
        "start_brk": "0x%x", "mmap_base": "0x%x", "task_size": "0x%x"},
          "fuzz": {"level": %d, "seed": %d, "ops": %d},
          "end": true
        }
        """.formatted(
        profile.name().substring("linux-".length()), hugePages(profile),
        profile.mmapMinAddress(), profile.maxMapCount(), profile.overcommit().ordinal(),
        profile.overcommitRatio(), profile.freeHugePages(), profile.lowestPlacement(),
        profile.stackGuardGapPages(), profile.protectionKeys(),
        profile.totalMemoryBytes() / 1024, profile.totalSwapBytes() / 1024,
        limit(limits.stack()), limit(limits.addressSpace()), limit(limits.data()),
        limit(limits.lockedMemory()), mm.legacyLayout() ? "00240000" : "00040000", who.uid(),
        who.ipcLock(), who.rawIo(), who.admin(),
        who.resource(), mm.startStack(), mm.startData(), mm.endData(), mm.startBrk(),
        mm.mmapBase(), profile.taskSize(), level, seed, steps);
  }

  private static String hugePages(KernelProfile profile) {
    return Arrays.stream(TransparentHugePages.values())
        .map(choice -> {
          String word = choice.name().toLowerCase(Locale.ROOT);
          return choice == profile.transparentHugePages() ? "[" + word + "]" : word;
        })
        .collect(Collectors.joining(" "));
  }

  private static String limit(long bytes) {
    String text =
        bytes == Limits.UNLIMITED ? "\"unlimited\"" : Long.toUnsignedString(bytes);
    return "{\"cur\": " + text + ", \"max\": \"unlimited\"}";
  }
}
