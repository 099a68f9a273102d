// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.driver;

import java.util.Collection;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.ReferenceDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

/**
 * What the components of a driver's bundle wait for. Nobody complains of them: whatever it is may come
 * at any time.
 */
final class WaitingComponents {
  private final ServiceComponentRuntime components;

  WaitingComponents(ServiceComponentRuntime components) {
    this.components = components;
  }

  /** What the first one that waits does wait for, or null when none does. */
  @Nullable String why(Bundle bundle) {
    for (ComponentDescriptionDTO description : components.getComponentDescriptionDTOs(bundle)) {
      String why = why(description);
      if (why != null) {
        return "component " + description.name + " waits for " + why;
      }
    }
    return null;
  }

  private @Nullable String why(ComponentDescriptionDTO description) {
    Collection<ComponentConfigurationDTO> configurations =
        components.getComponentConfigurationDTOs(description);
    boolean required = "require".equals(description.configurationPolicy);
    if (configurations.isEmpty() && required) {
      return configuration(description);
    }
    for (ComponentConfigurationDTO configuration : configurations) {
      if (configuration.state == ComponentConfigurationDTO.UNSATISFIED_CONFIGURATION) {
        return configuration(description);
      }
      if (configuration.state == ComponentConfigurationDTO.UNSATISFIED_REFERENCE) {
        for (UnsatisfiedReferenceDTO reference : configuration.unsatisfiedReferences) {
          return service(description, reference);
        }
      }
    }
    return null;
  }

  private static String configuration(ComponentDescriptionDTO description) {
    return "its configuration, conf/" + String.join(" or conf/", description.configurationPid)
        + ".cfg";
  }

  private static String service(
      ComponentDescriptionDTO description, UnsatisfiedReferenceDTO missing) {
    for (ReferenceDTO reference : description.references) {
      if (reference.name.equals(missing.name)) {
        return "a service " + reference.interfaceName
            + (missing.target == null || missing.target.isEmpty() ? "" : " with " + missing.target);
      }
    }
    return "the reference " + missing.name;
  }
}
