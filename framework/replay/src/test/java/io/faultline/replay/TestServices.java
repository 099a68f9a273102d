// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.kernel.VmaService;
import io.faultline.testkit.Kernel;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** The services of a booted kernel. */
final class TestServices {
  static final String OWNER = "replay";

  private TestServices() {}

  static KernelServices of(Kernel kernel) {
    return with(kernel, kernel.vmas());
  }

  /** The real kernel, but one of its calls throws what no kernel should throw. */
  static KernelServices failing(Kernel kernel, String call, RuntimeException failure) {
    VmaService real = kernel.vmas();
    Object broken =
        Proxy.newProxyInstance(
            TestServices.class.getClassLoader(),
            new Class<?>[] {VmaService.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals(call)) {
                throw failure;
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
    return with(kernel, (VmaService) broken);
  }

  private static KernelServices with(Kernel kernel, VmaService memory) {
    return new KernelServices(
        kernel.tasks(), memory, kernel.faults(), kernel.files(), kernel.proc(),
        kernel.pages(OWNER));
  }
}
