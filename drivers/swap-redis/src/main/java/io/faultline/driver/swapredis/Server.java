// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisRedirectionException;
import redis.clients.jedis.util.JedisURIHelper;
import redis.clients.jedis.util.Pool;

/**
 * The server, or cluster. Its connections are made as they are needed and kept in a pool; when they
 * break, because the server has died or another node has become master, the pool is emptied and the
 * commands are sent once more. So all commands have to be such that doing them twice does no harm.
 * Thread-safe.
 */
final class Server implements AutoCloseable {
  private final String name;
  private final UnifiedJedis client;
  private final ExecutorService threads; // a cluster's answers come from several nodes at once

  private Server(String name, UnifiedJedis client, ExecutorService threads) {
    this.name = name;
    this.client = client;
    this.threads = threads;
  }

  /**
   * @throws IOException when a cluster cannot be reached; a single server is not asked yet
   */
  static Server connect(List<URI> uris, Duration connect, Duration answer, String clientName)
      throws IOException {
    URI first = uris.getFirst();
    String name = first.getScheme() + "://" + JedisURIHelper.getHostAndPort(first);
    JedisClientConfig config = DefaultJedisClientConfig.builder()
        .user(JedisURIHelper.getUser(first)).password(JedisURIHelper.getPassword(first))
        .database(JedisURIHelper.getDBIndex(first)).ssl(JedisURIHelper.isRedisSSLScheme(first))
        .connectionTimeoutMillis(Math.toIntExact(connect.toMillis()))
        .socketTimeoutMillis(Math.toIntExact(answer.toMillis())).clientName(clientName).build();
    GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();
    pool.setMaxTotal(-1); // As many as there are accesses at once; to wait for one could go in circles.
    pool.setMaxIdle(8);
    pool.setJmxEnabled(false);
    try {
      if (uris.size() == 1) {
        return new Server(name, RedisClient.builder().clientConfig(config).poolConfig(pool)
            .hostAndPort(JedisURIHelper.getHostAndPort(first)).build(), threads());
      }
      Set<HostAndPort> nodes = new HashSet<>();
      uris.forEach(uri -> nodes.add(JedisURIHelper.getHostAndPort(uri)));
      return new Server(name, RedisClusterClient.builder().clientConfig(config).poolConfig(pool)
          .nodes(nodes).maxTotalRetriesDuration(answer).build(), threads());
    } catch (JedisException e) {
      throw failed(name, e);
    }
  }

  private static ExecutorService threads() {
    return Executors.newVirtualThreadPerTaskExecutor();
  }

  /** Sends commands in one go; their answers, in order. */
  <T> List<T> send(List<Function<AbstractPipeline, Response<T>>> commands) throws IOException {
    try {
      return sendOnce(commands);
    } catch (JedisRedirectionException e) {
      renew();
    } catch (JedisDataException e) {
      throw failed(name, e); // The server is there, and says no.
    } catch (JedisException | IllegalStateException e) {
      if (timedOut(e)) {
        throw failed(name, e); // To wait once more would double the time that was agreed on.
      }
      renew();
    }
    try {
      return sendOnce(commands);
    } catch (JedisException | IllegalStateException e) {
      throw failed(name, e);
    }
  }

  /** A cluster's pipeline does not throw when a node is gone: the answers are missing then. */
  private <T> List<T> sendOnce(List<Function<AbstractPipeline, Response<T>>> commands) {
    List<Response<T>> responses = new ArrayList<>(commands.size());
    try (AbstractPipeline pipeline = pipeline()) {
      for (Function<AbstractPipeline, Response<T>> command : commands) {
        responses.add(command.apply(pipeline));
      }
      pipeline.sync();
    }
    List<T> answers = new ArrayList<>(commands.size());
    for (Response<T> response : responses) {
      answers.add(response.get());
    }
    return answers;
  }

  private AbstractPipeline pipeline() {
    return client instanceof RedisClusterClient cluster
        ? cluster.pipelined(threads)
        : client.pipelined();
  }

  private void renew() {
    try {
      switch (client) {
        case RedisClusterClient cluster -> {
          cluster.getClusterNodes().values().forEach(Pool::clear);
          cluster.refreshClusterTopology();
        }
        case RedisClient single -> single.getPool().clear();
        default -> throw new IllegalStateException(client.toString());
      }
    } catch (JedisException e) {
      // The commands that are sent now will say so.
    }
  }

  /** What {@code INFO memory} says, line by line; nothing when it may not be asked. */
  List<String> memory() {
    if (client instanceof RedisClusterClient) {
      return List.of();
    }
    try {
      return client.info("memory").lines().toList();
    } catch (JedisException e) {
      return List.of();
    }
  }

  private static boolean timedOut(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof SocketTimeoutException) {
        return true;
      }
    }
    return false;
  }

  private static IOException failed(String name, RuntimeException cause) {
    String why = cause instanceof IllegalStateException
        ? "a node of the cluster did not answer"
        : String.valueOf(cause.getMessage());
    return new IOException(name + ": " + why, cause);
  }

  /** Without what is secret in its URI. */
  @Override
  public String toString() {
    return name;
  }

  @Override
  public void close() {
    client.close();
    threads.close();
  }
}
