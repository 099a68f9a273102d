// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.view;

import org.apache.felix.service.command.Converter;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;

/** Tells Gogo how results print, and that a result given as a word means its handle. */
@Component
public final class FaultlineConverter implements Converter {
  @Override
  public @Nullable Object convert(Class<?> desiredType, Object in) {
    return in instanceof View && desiredType == String.class ? in.toString() : null;
  }

  @Override
  public @Nullable CharSequence format(Object target, int level, Converter escape) {
    if (!(target instanceof View view)) {
      return null;
    }
    return switch (level) {
      case Converter.INSPECT -> view.text();
      case Converter.LINE -> view.line();
      default -> view.toString();
    };
  }
}
