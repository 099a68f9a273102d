// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.MmapProvider;
import io.faultline.mm.VmOperations;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashSet;
import java.util.Set;

/**
 * Which methods of an API interface a driver's class overrides: a method that is not overridden is a
 * null entry of Linux's structure. An override anywhere below the interface counts: in the class, in
 * a class above it, in an interface between.
 *
 * <p>Each class is looked at once. The result hangs on the class itself, so that it keeps no class
 * loader alive.
 */
final class Overrides {
  private static final ClassValue<Overrides> OPERATIONS = of(VmOperations.class);
  private static final ClassValue<Overrides> PROVIDER = of(MmapProvider.class);
  private static final ClassValue<Overrides> STORAGE = of(AddressSpaceOperations.class);

  private final Set<String> names;

  private Overrides(Set<String> names) {
    this.names = names;
  }

  /**
   * @throws LinkageError when the class refers to one that is not there
   */
  static Overrides of(VmOperations operations) {
    return OPERATIONS.get(operations.getClass());
  }

  /**
   * @throws LinkageError when the class refers to one that is not there
   */
  static Overrides of(MmapProvider provider) {
    return PROVIDER.get(provider.getClass());
  }

  /**
   * @throws LinkageError when the class refers to one that is not there
   */
  static Overrides of(AddressSpaceOperations storage) {
    return STORAGE.get(storage.getClass());
  }

  /** Whether the method of that name is overridden; the API overloads none. */
  boolean has(String method) {
    return names.contains(method);
  }

  private static ClassValue<Overrides> of(Class<?> api) {
    return new ClassValue<>() {
      @Override
      protected Overrides computeValue(Class<?> type) {
        Set<String> names = new HashSet<>();
        for (Method method : api.getDeclaredMethods()) {
          if (!Modifier.isStatic(method.getModifiers()) && !method.isSynthetic()
              && overridden(method, type)) {
            names.add(method.getName());
          }
        }
        return new Overrides(Set.copyOf(names));
      }
    };
  }

  private static boolean overridden(Method method, Class<?> type) {
    try {
      return type.getMethod(method.getName(), method.getParameterTypes())
          .getDeclaringClass() != method.getDeclaringClass();
    } catch (NoSuchMethodException e) {
      throw new LinkageError(type.getName() + " does not fit the API in this kernel", e);
    }
  }
}
