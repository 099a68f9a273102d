// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScoreTableTest {
  private static ReplayResult result(String name, int callsExact) {
    Score all = new Score(2, 2);
    return new ReplayResult(
        name, new Score(callsExact, 3), all, all, all, all, 5, List.of(), 3 - callsExact, 0, null);
  }

  @Test
  void namesAreSortedAndTotalsAdded() {
    assertThat(ScoreTable.of(List.of(result("ls", 3), result("as", 2))))
        .isEqualTo(
            """
            | Recording | calls | touches | digests | maps | VmFlags | exact |
            |---|---:|---:|---:|---:|---:|---|
            | as | 2/3 | 2/2 | 2/2 | 2/2 | 2/2 | **no** |
            | ls | 3/3 | 2/2 | 2/2 | 2/2 | 2/2 | yes |
            | **all** | 5/6 | 4/4 | 4/4 | 4/4 | 4/4 | 1 of 2 |
            """);
  }
}
