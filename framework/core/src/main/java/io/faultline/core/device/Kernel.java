// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.memory.PhysicalMemory;
import io.faultline.kernel.DeviceRegistration;
import java.util.function.ToLongFunction;

/** What every guard needs of the rest of the kernel. */
record Kernel(
    PhysicalMemory memory,
    Watchdog watchdog,
    Tracer tracer,
    DriverLog log,
    ToLongFunction<DeviceRegistration> pagesHeld,
    FileMappings mappings,
    IoSpace io,
    DriverLimits limits) {}
