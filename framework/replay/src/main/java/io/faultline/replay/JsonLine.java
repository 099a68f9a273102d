// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.Decision;
import java.util.StringJoiner;

/** One JSON object on one line, for programs. */
final class JsonLine {
  private final StringBuilder text = new StringBuilder("{");

  private JsonLine() {}

  static String of(ReplayResult result) {
    JsonLine line = new JsonLine();
    line.string("name", result.name());
    line.literal("exact", result.exact());
    line.score("calls", result.calls());
    line.score("touches", result.touches());
    line.score("digests", result.digests());
    line.score("maps", result.maps());
    line.score("vmflags", result.flags());
    line.literal("prefix", result.prefix());
    line.literal("scored", result.scored());
    line.literal("millis", result.nanos() / 1_000_000);
    Divergence first = result.first();
    if (first != null) {
      JsonLine inner = new JsonLine();
      inner.literal("line", first.line());
      inner.string("kind", first.kind().name());
      inner.string("event", first.event());
      inner.string("expected", first.expected());
      inner.string("got", first.got());
      MapsDiff maps = first.maps();
      if (maps != null) {
        inner.string("maps", maps.toString());
      }
      inner.literal("decidedAtLine", first.reasons().line());
      inner.literal("decisions", decisions(first.reasons()));
      line.literal("firstDivergence", inner.end());
    }
    return line.end();
  }

  private static String decisions(Reasons reasons) {
    StringJoiner array = new StringJoiner(",", "[", "]");
    for (Decision decision : reasons.decisions()) {
      JsonLine line = new JsonLine();
      line.string("kind", decision.kind().name());
      line.string("rule", decision.rule());
      line.string("text", decision.text());
      line.string("class", decision.decider());
      line.string("source", decision.source());
      array.add(line.end());
    }
    return array.toString();
  }

  static String unreadable(String name, String problem) {
    JsonLine line = new JsonLine();
    line.string("name", name);
    line.literal("exact", false);
    line.string("error", problem);
    return line.end();
  }

  private void score(String name, Score score) {
    literal(name, "[" + score.exact() + "," + score.total() + "]");
  }

  private void literal(String name, Object value) {
    if (text.length() > 1) {
      text.append(',');
    }
    text.append('"').append(name).append("\":").append(value);
  }

  private void string(String name, String value) {
    literal(name, quote(value));
  }

  private static String quote(String value) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || c >= 0x7f) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  private String end() {
    return text.append('}').toString();
  }
}
