// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import io.faultline.device.Device;
import io.faultline.device.MmapProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import javax.lang.model.element.Element;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.TypeElement;
import javax.lang.model.type.TypeMirror;
import javax.tools.Diagnostic.Kind;
import org.osgi.service.component.annotations.Component;

/**
 * What makes a class a driver: it implements {@link MmapProvider} and says so by {@code @Component}
 * and {@code @Device}. Where one of the three is missing the others have no effect, and nothing says
 * so when the bundle runs; so it is said here, at the line, as the compiler says what it finds.
 */
final class DriverRules extends TreePathScanner<Void, CompilationUnitTree> {
  private final JavacTask task;
  private final Trees trees;
  private final TypeMirror provider;
  private final List<DriverClass> drivers = new ArrayList<>();
  private final List<TreePath> bareProviders = new ArrayList<>();
  private boolean complained;

  private DriverRules(JavacTask task) {
    this.task = task;
    this.trees = Trees.instance(task);
    this.provider =
        Objects.requireNonNull(
            task.getElements().getTypeElement(MmapProvider.class.getName()),
            "the API is not among the jars to compile against").asType();
  }

  /**
   * Looks at sources that are free of other errors.
   *
   * @param task has analyzed them; is told what is wrong
   * @return the drivers, in the order of the sources
   * @throws ComplaintException when there is no driver anywhere
   */
  static List<DriverClass> check(JavacTask task, List<CompilationUnitTree> units)
      throws ComplaintException {
    DriverRules rules = new DriverRules(task);
    units.forEach(unit -> rules.scan(unit, unit));
    if (rules.drivers.isEmpty() && !rules.complained) {
      rules.complainOfBareProviders(units);
    }
    return rules.drivers;
  }

  private void complainOfBareProviders(List<CompilationUnitTree> units) throws ComplaintException {
    if (bareProviders.isEmpty()) {
      throw new ComplaintException(
          fileName(units.getFirst())
              + (units.size() > 1 ? " and the others hold" : " holds")
              + " no driver: write a class that implements MmapProvider, with @Component and"
              + " @Device(name = \"…\") above it");
    }
    for (TreePath path : bareProviders) {
      String name = element(path).getSimpleName().toString();
      complain(
          path,
          "%s has neither @Component nor @Device, so it is no driver: put @Component and"
              .formatted(name)
              + " @Device(name = \"%s\") above the class".formatted(small(name)));
    }
  }

  @Override
  public Void visitClass(ClassTree tree, CompilationUnitTree unit) {
    if (element(getCurrentPath()) instanceof TypeElement type && type.getKind().isClass()) {
      look(type, unit);
    }
    return super.visitClass(tree, unit);
  }

  private void look(TypeElement type, CompilationUnitTree unit) {
    boolean provides = task.getTypes().isAssignable(type.asType(), provider);
    boolean component = has(type, Component.class);
    boolean device = has(type, Device.class);
    TreePath path = getCurrentPath();
    String name = type.getSimpleName().toString();
    if (provides && component && device) {
      drivers.add(driver(type, unit, path));
    } else if (provides && component) {
      complain(
          path,
          "%s has no @Device, so it serves no device: put @Device(name = \"%s\") above the class"
              .formatted(name, small(name)));
    } else if (provides && device) {
      complain(
          path,
          "%s has no @Component, so nobody makes one: put @Component above the class, from"
              .formatted(name)
              + " org.osgi.service.component.annotations");
    } else if (device) {
      complain(path, name + " has @Device but is no driver: let it implement MmapProvider");
    } else if (provides && !type.getModifiers().contains(Modifier.ABSTRACT)) {
      bareProviders.add(path);
    }
  }

  private DriverClass driver(TypeElement type, CompilationUnitTree unit, TreePath path) {
    String packageName = task.getElements().getPackageOf(type).getQualifiedName().toString();
    String name = type.getSimpleName().toString();
    if (packageName.isEmpty()) {
      complain(
          path,
          "%s is in no package, and a bundle needs one: begin %s with \"package %s;\""
              .formatted(name, fileName(unit), small(name)));
    }
    return new DriverClass(packageName, name);
  }

  private static boolean has(TypeElement type, Class<?> annotation) {
    return type.getAnnotationMirrors().stream()
        .anyMatch(a -> a.getAnnotationType().toString().equals(annotation.getName()));
  }

  private Element element(TreePath path) {
    return trees.getElement(path);
  }

  private void complain(TreePath path, String message) {
    complained = true;
    trees.printMessage(Kind.ERROR, message, path.getLeaf(), path.getCompilationUnit());
  }

  private static String fileName(CompilationUnitTree unit) {
    return String.valueOf(Path.of(unit.getSourceFile().getName()).getFileName());
  }

  private static String small(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
