// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.AccessFlag;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes an object that has exactly those methods of some interfaces that another object overrides, and
 * hands each call to an observer. A method that a driver does not override is a null entry of Linux's
 * structure; an observer that simply implemented all would change what the kernel does.
 *
 * <p>For one thread.
 */
final class Facades {
  private record Shape(Map<Class<?>, Set<String>> methods) {}

  private final Map<Shape, MethodHandle> made = new HashMap<>();

  /** The methods of the interface that the object's class overrides. */
  static Set<String> overridden(Class<?> api, Object object) {
    Set<String> names = new HashSet<>();
    for (Method method : methodsOf(api)) {
      try {
        if (object.getClass().getMethod(method.getName(), method.getParameterTypes())
            .getDeclaringClass() != api) {
          names.add(method.getName());
        }
      } catch (NoSuchMethodException e) {
        throw new LinkageError(object.getClass().getName() + " does not fit the API", e);
      }
    }
    return Set.copyOf(names);
  }

  private static List<Method> methodsOf(Class<?> api) {
    List<Method> methods = new ArrayList<>();
    for (Method method : api.getDeclaredMethods()) {
      if (!Modifier.isStatic(method.getModifiers()) && !method.isSynthetic()) {
        methods.add(method);
      }
    }
    return methods;
  }

  /**
   * An object of these interfaces, of those at least that the original has too.
   *
   * @param original whose overrides count
   * @param observer who is called; has all the interfaces
   */
  Object of(Object original, Object observer, Class<?>... apis) {
    Map<Class<?>, Set<String>> methods = new HashMap<>();
    for (Class<?> api : apis) {
      if (api.isInstance(original)) {
        methods.put(api, overridden(api, original));
      }
    }
    MethodHandle constructor =
        made.computeIfAbsent(new Shape(Map.copyOf(methods)), Facades::make);
    try {
      return constructor.invoke(observer);
    } catch (Throwable e) {
      throw new IllegalStateException("a facade cannot be made: " + e, e);
    }
  }

  private static ClassDesc describe(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  private static MethodHandle make(Shape shape) {
    ClassDesc self = ClassDesc.of(Facades.class.getPackageName(), "Facade");
    List<ClassDesc> apis = shape.methods().keySet().stream().map(Facades::describe).toList();
    byte[] bytes = ClassFile.of().build(self, type -> {
      type.withFlags(AccessFlag.FINAL, AccessFlag.SYNTHETIC).withInterfaceSymbols(apis);
      type.withField(
          "observer", ConstantDescs.CD_Object, ClassFile.ACC_PRIVATE | ClassFile.ACC_FINAL);
      type.withMethodBody(
          ConstantDescs.INIT_NAME,
          MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_Object), 0,
          code -> code.aload(0)
              .invokespecial(
                  ConstantDescs.CD_Object, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void)
              .aload(0).aload(1).putfield(self, "observer", ConstantDescs.CD_Object).return_());
      shape.methods().forEach((api, names) -> {
        for (Method method : methodsOf(api)) {
          if (names.contains(method.getName())) {
            hand(type, self, api, method);
          }
        }
      });
    });
    try {
      MethodHandles.Lookup hidden = MethodHandles.lookup().defineHiddenClass(bytes, true);
      return hidden.findConstructor(
          hidden.lookupClass(), MethodType.methodType(void.class, Object.class));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a facade cannot be made: " + e, e);
    }
  }

  /** A method that hands its call to the observer. */
  private static void hand(ClassBuilder type, ClassDesc self, Class<?> api, Method method) {
    MethodTypeDesc signature =
        MethodType.methodType(method.getReturnType(), method.getParameterTypes())
            .describeConstable().orElseThrow();
    type.withMethodBody(method.getName(), signature, ClassFile.ACC_PUBLIC, code -> {
      code.aload(0).getfield(self, "observer", ConstantDescs.CD_Object).checkcast(describe(api));
      int slot = 1;
      for (Class<?> parameter : method.getParameterTypes()) {
        TypeKind kind = TypeKind.from(parameter);
        code.loadLocal(kind, slot);
        slot += kind.slotSize();
      }
      code.invokeinterface(describe(api), method.getName(), signature)
          .return_(TypeKind.from(method.getReturnType()));
    });
  }
}
