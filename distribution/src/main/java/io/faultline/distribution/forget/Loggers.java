// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.forget;

import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;
import org.osgi.service.log.LogService;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerFactory;

/**
 * Hands out the log's loggers by their names alone.
 *
 * <p>felix.log keeps each logger that it ever made, by bundle and name, and Declarative Services want
 * one for each bundle and component. Here a logger belongs to this bundle whoever asks, so a name is
 * made once, however often its driver is replaced. What is lost is {@code LogEntry.getBundle}, which
 * nothing here asks for, and levels set for one bundle by the log's admin service: levels go by name
 * (conf/logging.properties).
 */
@Component(
    service = {LogService.class, LoggerFactory.class}, scope = ServiceScope.BUNDLE,
    property = Constants.SERVICE_RANKING + ":Integer=1000")
@SuppressWarnings("deprecation")
public final class Loggers implements LogService {
  private final LoggerFactory log;
  private final String name;

  /**
   * For a bundle.
   *
   * @param log felix.log's; no component, unlike this one
   */
  @Activate
  public Loggers(
      @Reference(target = "(!(component.name=*))") LoggerFactory log, ComponentContext context) {
    this.log = log;
    this.name = "LogService." + context.getUsingBundle().getSymbolicName();
  }

  @Override
  public Logger getLogger(String name) {
    return log.getLogger(name);
  }

  @Override
  public Logger getLogger(Class<?> type) {
    return log.getLogger(type);
  }

  @Override
  public <L extends Logger> L getLogger(String name, Class<L> loggerType) {
    return log.getLogger(name, loggerType);
  }

  @Override
  public <L extends Logger> L getLogger(Class<?> type, Class<L> loggerType) {
    return log.getLogger(type, loggerType);
  }

  @Override
  public <L extends Logger> L getLogger(Bundle bundle, String name, Class<L> loggerType) {
    return log.getLogger(name, loggerType);
  }

  @Override
  public void log(int level, String message) {
    say(level, message);
  }

  @Override
  public void log(int level, String message, Throwable exception) {
    say(level, message, exception);
  }

  @Override
  public void log(ServiceReference<?> reference, int level, String message) {
    say(level, message, reference);
  }

  @Override
  public void log(
      ServiceReference<?> reference, int level, String message, Throwable exception) {
    say(level, message, reference, exception);
  }

  private void say(int level, String message, Object... about) {
    Logger logger = log.getLogger(name);
    switch (level) {
      case LOG_ERROR -> logger.error(message, about);
      case LOG_WARNING -> logger.warn(message, about);
      case LOG_INFO -> logger.info(message, about);
      case LOG_DEBUG -> logger.debug(message, about);
      default -> logger.trace(message, about);
    }
  }
}
