## SPDX-License-Identifier: Apache-2.0
## Copyright the Faultline authors
package ${package};

import static io.faultline.testkit.Refusals.assertSigbus;
import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.AccessMode;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.mm.Mman;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import io.faultline.testkit.Program;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is special about this driver; each test has a kernel of its own. */
@FaultlineTest
class ${className}Test {
  private ${className} driver;

  @BeforeEach
  void plugIn(Kernel kernel) throws Exception {
    driver = new ${className}(kernel.pages("${artifactId}"));
    kernel.devices().register(DeviceRegistration.of("${artifactId}"), driver);
  }

  @AfterEach
  void remove() {
    driver.deactivate();
  }

  private static long map(Program program, int pages) throws Exception {
    int fd = program.open("/dev/${artifactId}", AccessMode.READ_WRITE);
    return program.mmapShared(fd, (long) pages * Mman.PAGE_SIZE, 0);
  }

  @Test
  void whoMapsItSharesItWithEverybody(Kernel kernel) throws Exception {
    Program writer = kernel.spawn();
    Program reader = kernel.spawn();
    writer.poke(map(writer, 1), "hello");
    assertThat(reader.peek(map(reader, 1), 5)).isEqualTo("hello");
  }

  @Test
  void behindTheLastPageIsSigbus(Kernel kernel) throws Exception {
    Program program = kernel.spawn();
    long behind = map(program, ${className}.PAGES + 1) + ${className}.PAGES * Mman.PAGE_SIZE;
    assertSigbus(behind, () -> program.peek(behind, 1));
  }
}
