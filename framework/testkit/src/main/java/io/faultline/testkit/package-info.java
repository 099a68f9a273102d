// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Boots a kernel in a test, without a container, and looks after it: {@link
 * io.faultline.testkit.FaultlineTest} gives each test a kernel of its own, {@link
 * io.faultline.testkit.Program} is a process that does what the test says, {@link
 * io.faultline.testkit.Refusals} asserts what the kernel refuses. {@link
 * io.faultline.testkit.SwapDeviceContract} tests a swap device, without a kernel; {@link
 * io.faultline.testkit.compliance.DriverCompliance} tests a driver against the whole contract.
 *
 * <pre>{@code
 * @FaultlineTest
 * class MyDriverTest {
 *   @Test
 *   void aMappingShowsMyMemory(Kernel kernel) throws ErrnoException {
 *     kernel.devices().register(DeviceRegistration.of("mine"), new MyDriver(kernel.pages("mine")));
 *     Program program = kernel.spawn();
 *     int fd = program.open("/dev/mine", AccessMode.READ_WRITE);
 *     long address = program.mmapShared(fd, 2 * Mman.PAGE_SIZE, 0);
 *     assertThat(program.peek(address, 5)).isEqualTo("hello");
 *     assertSigbus(address + 4096, () -> program.memory().getByte(address + 4096));
 *   }
 * }
 * }</pre>
 */
@NullMarked
package io.faultline.testkit;

import org.jspecify.annotations.NullMarked;
