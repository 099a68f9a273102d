// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.complete;

import io.faultline.shell.Usage;
import io.faultline.shell.Usage.Slot;
import io.faultline.shell.word.Address;
import io.faultline.shell.word.MmanNames;
import io.faultline.shell.word.Size;
import io.faultline.shell.word.WordException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where in a usage line the cursor stands: which values and which keywords may come next. Values that
 * may be left out are passed over when a word cannot be one.
 *
 * @param slots the values that may stand here
 * @param keywords the words that may announce another value
 * @param pid the word that names the process, or null when none does
 */
record Position(List<Slot> slots, List<String> keywords, @Nullable String pid) {
  static final String PROCESS = "PID";

  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,7}");

  /**
   * @param usage the command's
   * @param before the words between the command and the cursor
   * @param word the word at the cursor
   * @param processChosen whether the session has a process in use
   */
  static Position of(Usage usage, List<String> before, String word, boolean processChosen) {
    boolean leaveOut = processChosen && usage.processLeads();
    List<Slot> ordered = new ArrayList<>();
    List<Slot> announced = new ArrayList<>();
    usage.slots().forEach(slot -> (slot.keyword() == null ? ordered : announced).add(slot));

    String pid = null;
    Slot expected = null;
    int at = 0;
    for (String done : before) {
      Slot keyword = announcedBy(announced, done);
      if (expected != null) {
        expected = null;
      } else if (keyword != null) {
        expected = keyword;
        announced.remove(keyword);
      } else {
        while (at < ordered.size() && passOver(ordered.get(at), done, leaveOut)) {
          at++;
        }
        if (at < ordered.size()) {
          Slot slot = ordered.get(at);
          pid = slot.value().equals(PROCESS) ? done : pid;
          at += slot.repeats() ? 0 : 1;
        }
      }
    }
    if (expected != null) {
      return new Position(List.of(expected), List.of(), pid);
    }
    List<Slot> open = new ArrayList<>();
    boolean mayStop = true;
    while (at < ordered.size() && mayStop) {
      Slot slot = ordered.get(at++);
      boolean process = slot.value().equals(PROCESS);
      if (!(process && leaveOut && !word.startsWith("@"))) {
        open.add(slot);
      }
      // Without a process in use its number cannot be left out where more must follow.
      mayStop =
          slot.optional() && !(process && !leaveOut && usage.processLeads());
    }
    List<String> keywords = new ArrayList<>();
    if (mayStop) {
      announced.forEach(slot -> keywords.add(String.valueOf(slot.keyword())));
    }
    return new Position(open, keywords, pid);
  }

  private static @Nullable Slot announcedBy(List<Slot> announced, String word) {
    for (Slot slot : announced) {
      if (word.equals(slot.keyword())) {
        return slot;
      }
    }
    return null;
  }

  private static boolean passOver(Slot slot, String word, boolean leaveProcessOut) {
    return slot.optional() && !accepts(slot, word, leaveProcessOut);
  }

  private static boolean accepts(Slot slot, String word, boolean leaveProcessOut) {
    return switch (slot.value()) {
      case PROCESS -> word.startsWith("@") || !leaveProcessOut && NUMBER.matcher(word).matches();
      case "FLAGS" ->
          MmanNames.MAP.looksLike(word) || MmanNames.MREMAP.looksLike(word)
              || word.startsWith("0x");
      case "FD" -> NUMBER.matcher(word).matches();
      case "ADDRESS" -> reads(Address::parse, word);
      case "LENGTH", "OFFSET", "COUNT" -> reads(Size::parse, word);
      default -> slot.kind() || List.of(slot.value().split("\\|")).contains(word);
    };
  }

  private interface Reader {
    Object read(String word) throws WordException;
  }

  private static boolean reads(Reader reader, String word) {
    try {
      reader.read(word);
      return true;
    } catch (WordException e) {
      return false;
    }
  }
}
