## SPDX-License-Identifier: Apache-2.0
## Copyright the Faultline authors
package ${package};

import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.testkit.compliance.DriverCompliance;
import java.util.OptionalInt;

/** The contract between kernel and driver: fork, split, mremap, exit, holes, upgrade, removal. */
class ${className}ComplianceTest extends DriverCompliance {
  @Override
  protected MmapProvider driver(PageAllocator pages) throws Exception {
    return new ${className}(pages);
  }

  /** The kit cannot ask a device without read(2) how long it is. */
  @Override
  protected OptionalInt size() {
    return OptionalInt.of(${className}.PAGES);
  }
}
