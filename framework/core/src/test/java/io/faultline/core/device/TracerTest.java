// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.kernel.TraceEvent;
import io.faultline.kernel.TraceListener;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TracerTest {
  private final Tracer tracer = new Tracer();
  private final List<TraceEvent> heard = new ArrayList<>();

  @Test
  void withoutListenersItIsDisabled() {
    assertThat(tracer.enabled()).isFalse();
    TraceListener listener = heard::add;
    tracer.add(listener);
    assertThat(tracer.enabled()).isTrue();
    tracer.remove(listener);
    assertThat(tracer.enabled()).isFalse();
  }

  @Test
  void aListenerThatThrowsHarmsNobody() {
    tracer.add(event -> {
      throw new LinkageError("listener");
    });
    tracer.add(heard::add);

    tracer.emit(TraceEvent.Kind.NOPAGE, 3, "/dev/x", 4096, 8192, "text");

    assertThat(heard).singleElement().satisfies(event -> {
      assertThat(event.kind()).isEqualTo(TraceEvent.Kind.NOPAGE);
      assertThat(event.pid()).isEqualTo(3);
      assertThat(event.device()).isEqualTo("/dev/x");
      assertThat(event.start()).isEqualTo(4096);
      assertThat(event.end()).isEqualTo(8192);
    });
  }

  @Test
  void aListenerThatIsAddedTwiceHearsOnce() {
    TraceListener listener = heard::add;
    tracer.add(listener);
    tracer.add(listener);

    tracer.emit(TraceEvent.Kind.EXIT, 3, null, 0, 0, "exit");

    assertThat(heard).hasSize(1);
  }
}
