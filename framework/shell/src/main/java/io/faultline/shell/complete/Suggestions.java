// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import io.faultline.kernel.Devices;
import io.faultline.kernel.Proc;
import io.faultline.kernel.SwapInfo;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Protection;
import io.faultline.mm.Signal;
import io.faultline.mm.VmFlag;
import io.faultline.mm.Vma;
import io.faultline.shell.Manual;
import io.faultline.shell.Usage.Slot;
import io.faultline.shell.command.Catalogue;
import io.faultline.shell.word.Address;
import io.faultline.shell.word.MmanNames;
import io.faultline.shell.word.Names;
import io.faultline.shell.word.ProtectionWord;
import io.faultline.shell.word.Size;
import io.faultline.shell.word.WordException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What may be typed next, looked up in the kernel. */
final class Suggestions {
  private final Tasks tasks;
  private final VmaService vmas;
  private final Devices devices;
  private final Proc proc;
  private final Swaps swaps;

  Suggestions(Tasks tasks, VmaService vmas, Devices devices, Proc proc, Swaps swaps) {
    this.tasks = tasks;
    this.vmas = vmas;
    this.devices = devices;
    this.proc = proc;
    this.swaps = swaps;
  }

  /**
   * @param manual of the command
   * @param before the words between the command and the cursor
   * @param word the word at the cursor, up to the cursor
   * @param current the process in use, or null
   */
  List<Suggestion> of(Manual manual, List<String> before, String word, @Nullable Integer current) {
    Position position = Position.of(manual.usage(), before, word, current != null);
    Task task = task(position.pid(), current);
    List<Suggestion> offered = new ArrayList<>();
    for (Slot slot : position.slots()) {
      offered.addAll(values(slot, manual.name(), before, word, task));
    }
    position.keywords().forEach(keyword -> offered.add(Suggestion.of(keyword, "")));
    return offered;
  }

  private @Nullable Task task(@Nullable String named, @Nullable Integer current) {
    if (named == null) {
      return current == null ? null : tasks.find(current).orElse(null);
    }
    String digits = named.startsWith("@") ? named.substring(1) : named;
    return digits.matches("[0-9]{1,7}") ? tasks.find(Integer.parseInt(digits)).orElse(null) : null;
  }

  private List<Suggestion> values(
      Slot slot, String command, List<String> before, String word, @Nullable Task task) {
    return switch (slot.value()) {
      case Position.PROCESS -> processes(word.startsWith("@") ? "@" : "");
      case "FD" -> task == null ? List.of() : files(task);
      case "DEVICE" ->
          devices.list().stream().map(d -> Suggestion.of(d.path(), d.driver())).toList();
      case "ADDRESS" -> task == null ? List.of() : addresses(task);
      case "LENGTH", "OLD-LENGTH" -> task == null ? List.of() : lengths(task, before);
      case "PROTECTION" -> plain(ProtectionWord.common().stream());
      case "FLAGS" -> joined(command.equals("mremap") ? MmanNames.MREMAP : MmanNames.MAP, word);
      case "ADVICE" -> plain(MmanNames.MADV.all().stream());
      case "SIGNAL" -> plain(Stream.of(Signal.values()).map(Signal::name));
      case "NAME" -> procFiles(command, before, task);
      case "SWAP-DEVICE" -> command.equals("swapon") ? plain(swaps.off().stream()) : swapsInUse();
      case "COMMAND" -> commands();
      case "KIND" ->
          plain(
              Stream.concat(
                  Stream.of(TraceEvent.Kind.values()).map(k -> k.name().toLowerCase(Locale.ROOT)),
                  Stream.of("all")));
      default ->
          slot.kind() ? List.of() : plain(Stream.of(slot.value().split("\\|")).filter(this::typed));
    };
  }

  /** Choices that stand for a value, as in {@code ADDRESS|+SIZE}, are not offered. */
  private boolean typed(String choice) {
    return choice.equals(choice.toLowerCase(Locale.ROOT));
  }

  private static List<Suggestion> plain(Stream<String> words) {
    return words.map(word -> Suggestion.of(word, "")).toList();
  }

  private List<Suggestion> processes(String prefix) {
    return tasks.list().stream()
        .map(task -> Suggestion.of(prefix + task.pid(), task.name()))
        .toList();
  }

  private List<Suggestion> swapsInUse() {
    return swaps.list().stream().map(SwapInfo::name).map(name -> Suggestion.of(name, "")).toList();
  }

  private static List<Suggestion> files(Task task) {
    return task.files().entrySet().stream()
        .map(e -> Suggestion.of(e.getKey().toString(), e.getValue().inode().path()))
        .toList();
  }

  private List<Suggestion> addresses(Task task) {
    return vmas.list(task).stream()
        .map(vma -> Suggestion.of(new Address(vma.start()).toString(), describe(vma)))
        .toList();
  }

  private static String describe(Vma vma) {
    var file = vma.file();
    return Protection.ofFlags(vma.flags())
        + (vma.has(VmFlag.MAYSHARE) ? "s " : "p ")
        + Size.format(vma.length())
        + (file == null ? "" : " " + file.inode().path());
  }

  private List<Suggestion> procFiles(String command, List<String> before, @Nullable Task task) {
    boolean asked = command.equals("proc") && !before.isEmpty() && before.getFirst().equals("cat");
    return asked && task != null ? plain(proc.entries(task).stream()) : List.of();
  }

  /** The length of the area that starts at the address before the cursor. */
  private List<Suggestion> lengths(Task task, List<String> before) {
    if (before.isEmpty()) {
      return List.of();
    }
    try {
      long address = Address.parse(before.getLast()).value();
      return vmas.find(task, address).stream()
          .map(vma -> Suggestion.of(Size.format(vma.end() - address), "to the end of the area"))
          .toList();
    } catch (WordException e) {
      return List.of();
    }
  }

  /** Names that are joined by commas: what stands before the last comma is kept. */
  private static List<Suggestion> joined(Names names, String word) {
    int comma = word.lastIndexOf(',');
    String kept = word.substring(0, comma + 1);
    return names.all().stream()
        .map(name -> new Suggestion(kept + name, name, "", false))
        .toList();
  }

  private static List<Suggestion> commands() {
    return Catalogue.typed().stream()
        .map(Manual::of)
        .map(manual -> Suggestion.of(manual.name(), manual.summary()))
        .toList();
  }
}
