// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.forget;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceException;
import org.osgi.framework.ServiceObjects;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.hooks.bundle.EventHook;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/**
 * Lets go of the services that a bundle used, when it stops, so that the framework keeps nothing of
 * it.
 *
 * <p>Felix's registry counts for each bundle how often it got each service. A count that reaches 0
 * by {@link BundleContext#ungetService} stays, with the bundle, for as long as that service is there;
 * one that reaches 0 by {@link ServiceObjects#ungetService} is thrown away. Declarative Services get
 * what a component refers to, and the configuration admin, by the first in the bundle's name. So:
 * when a bundle is about to stop, its services are got once more, by the second; when Declarative
 * Services have given theirs back, so is this one, as the last. No service is made for that which
 * would not be there without.
 *
 * <p>Before anything hears of the stop there is an {@link EventHook}. Just after Declarative Services
 * there is a listener of <em>their</em> bundle: the framework calls those of one bundle in the order
 * in which they were added. In another order the counts would stay, and nothing else would differ.
 */
@Component(immediate = true)
public final class ServiceUses implements EventHook {
  private static final String CONFIGURATION_ADMIN = "org.osgi.service.cm.ConfigurationAdmin";

  private final BundleContext context;
  private final BundleContext ofComponents;
  private final SynchronousBundleListener after = this::afterComponents;
  /** Of bundles that are stopping, by their identifier. */
  private final Map<Long, List<Use<?>>> uses = new ConcurrentHashMap<>();

  /**
   * A service that was got in the name of a bundle.
   *
   * @param objects where it came from
   * @param service which it is
   */
  private record Use<S>(ServiceObjects<S> objects, S service) {
    static <S> @Nullable Use<S> of(BundleContext user, ServiceReference<S> reference) {
      try {
        ServiceObjects<S> objects = user.getServiceObjects(reference);
        S service = objects == null ? null : objects.getService();
        return service == null ? null : new Use<>(objects, service);
      } catch (IllegalStateException | ServiceException gone) {
        return null;
      }
    }

    void end() {
      try {
        objects.ungetService(service);
      } catch (IllegalStateException | IllegalArgumentException gone) {
        // With the service its counts went too.
      }
    }
  }

  /** For all bundles of the framework. */
  @Activate
  public ServiceUses(
      BundleContext context,
      @Reference(service = ServiceComponentRuntime.class) ServiceReference<
          ServiceComponentRuntime> components) {
    this.context = context;
    this.ofComponents = components.getBundle().getBundleContext();
    ofComponents.addBundleListener(after);
  }

  @Deactivate
  void stop() {
    ofComponents.removeBundleListener(after);
  }

  @Override
  public void event(BundleEvent event, Collection<BundleContext> receivers) {
    Bundle bundle = event.getBundle();
    if (event.getType() == BundleEvent.STOPPED) {
      uses.remove(bundle.getBundleId());
    } else if (event.getType() == BundleEvent.STOPPING && !isShutDown()) {
      BundleContext user = bundle.getBundleContext();
      if (user != null) {
        uses.put(
            bundle.getBundleId(),
            used(bundle).<Use<?>>map(reference -> Use.of(user, reference))
                .filter(Objects::nonNull).toList());
      }
    }
  }

  private void afterComponents(BundleEvent event) {
    if (event.getType() == BundleEvent.STOPPING) {
      List<Use<?>> ended = uses.remove(event.getBundle().getBundleId());
      if (ended != null) {
        ended.forEach(Use::end);
      }
    }
  }

  /** Everything goes then, and is not worth the while. */
  private boolean isShutDown() {
    return context.getBundle(Constants.SYSTEM_BUNDLE_ID).getState() == Bundle.STOPPING;
  }

  /**
   * Others' services that a bundle uses. Those of its components are among them even if a component
   * waits to be used: Declarative Services give a service back when the component goes, or it.
   */
  private Stream<ServiceReference<?>> used(Bundle bundle) {
    ServiceReference<?>[] used = bundle.getServicesInUse();
    return Stream.concat(
        used == null ? Stream.of() : Arrays.stream(used), configurationAdmins())
        .distinct()
        .filter(
            reference -> reference.getBundle() != bundle
                && !Constants.SCOPE_PROTOTYPE.equals(
                    reference.getProperty(Constants.SERVICE_SCOPE)));
  }

  /** Which are used for a moment now and then. */
  private Stream<ServiceReference<?>> configurationAdmins() {
    try {
      ServiceReference<?>[] all = context.getAllServiceReferences(CONFIGURATION_ADMIN, null);
      return all == null ? Stream.of() : Arrays.stream(all);
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
