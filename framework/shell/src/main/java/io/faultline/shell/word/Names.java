// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.word;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;

/**
 * Constants that people write by name: {@code MAP_SHARED}, {@code SHARED} or {@code shared}, several
 * of them joined by a comma ({@code |} works within quotes; outside it is the shell's pipe).
 * Immutable.
 */
public final class Names {
  private static final Pattern SEPARATOR = Pattern.compile("[|,+]");

  private final String prefix;
  private final SequencedMap<String, Integer> values;

  private Names(String prefix, SequencedMap<String, Integer> values) {
    this.prefix = prefix;
    this.values = values;
  }

  /**
   * @param prefix what every name may begin with, {@code "MAP_"}
   */
  public static Builder withPrefix(String prefix) {
    return new Builder(prefix);
  }

  /** The names in lower case, in the order in which they were given. */
  public List<String> all() {
    return List.copyOf(values.keySet());
  }

  /** Whether the word is made of these names alone; numbers do not count. */
  public boolean looksLike(String word) {
    for (String part : SEPARATOR.split(word, -1)) {
      if (!values.containsKey(plain(part))) {
        return false;
      }
    }
    return true;
  }

  /**
   * The value of one name, or of a number ({@code 0x…} or decimal).
   *
   * @throws WordException when there is no such name; it says which is near, or all of them
   */
  public int one(String word) throws WordException {
    return one(word, word);
  }

  private int one(String word, String whole) throws WordException {
    Integer value = values.get(plain(word));
    return value != null ? value : number(word, whole);
  }

  /**
   * The names' values, combined.
   *
   * @throws WordException when there is no such name
   */
  public int union(String word) throws WordException {
    int bits = 0;
    for (String part : SEPARATOR.split(word, -1)) {
      bits |= one(part, word);
    }
    return bits;
  }

  private String plain(String word) {
    String name = word.toLowerCase(Locale.ROOT);
    String lowerPrefix = prefix.toLowerCase(Locale.ROOT);
    return name.startsWith(lowerPrefix) ? name.substring(lowerPrefix.length()) : name;
  }

  private int number(String word, String whole) throws WordException {
    try {
      if (!word.isEmpty() && Character.isDigit(word.charAt(0))) {
        return (int) (long) Long.decode(word);
      }
    } catch (NumberFormatException notANumber) {
      // said below
    }
    throw new WordException(unknown(word, whole));
  }

  private String unknown(String word, String whole) {
    String nearest = Nearest.to(plain(word), values.keySet());
    String advice =
        nearest.isEmpty()
            ? "write " + String.join(", ", values.keySet())
            : "did you mean " + nearest + "?";
    return (word.equals(whole) ? "is not known: "
        : "has '" + word + "' in it, which is not known: ")
        + advice;
  }

  /** Collects names; not thread-safe. */
  public static final class Builder {
    private final String prefix;
    private final LinkedHashMap<String, Integer> values = new LinkedHashMap<>();

    private Builder(String prefix) {
      this.prefix = prefix;
    }

    /** Adds a name, in lower case and without the prefix. */
    public Builder name(String name, int value) {
      values.put(name, value);
      return this;
    }

    /** Adds all the names of a map. */
    public Builder names(Map<String, Integer> more) {
      values.putAll(more);
      return this;
    }

    /** The finished names. */
    public Names build() {
      return new Names(prefix, new LinkedHashMap<>(values));
    }
  }
}
