import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.utils.Time;

/**
 * One Apache Kafka node (KRaft, broker and controller in this JVM), driven through standard input.
 *
 * <p>Started as {@code java -cp 'libs/*' Broker.java FOLDER PORT CONTROLLER_PORT [TLS MTLS SCRAM OAUTH]}; the further
 * ports are listeners with TLS, whose certificates are in FOLDER: {@code broker.pem} (key and certificate) and {@code
 * ca.pem}. Says {@code ready}, then answers
 * each command with one line, {@code ok …} or {@code error …}. At the end of its input, which is also what it reads
 * when the process that started it has died, it removes FOLDER and ends: nothing outlives the tests.
 */
final class Broker {
  private static final long TIMEOUT_S = 30;

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    PrintStream answers = System.out;
    System.setOut(new PrintStream(new FileOutputStream(folder.resolve("broker.log").toFile()), true));
    String servers = "127.0.0.1:" + args[1];
    try {
      start(folder, args);
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
        admin.describeCluster().nodes().get(TIMEOUT_S, TimeUnit.SECONDS);
        answers.println("ready");
        serve(admin, answers);
      }
    } catch (Throwable error) {
      answers.println("error " + error.toString().replace('\n', ' '));
    } finally {
      remove(folder);
      Runtime.getRuntime().halt(0);
    }
  }

  private static void start(Path folder, String[] args) throws IOException {
    String port = args[1];
    String controllerPort = args[2];
    Properties p = new Properties();
    p.put("process.roles", "broker,controller");
    p.put("node.id", "1");
    p.put("controller.quorum.bootstrap.servers", "127.0.0.1:" + controllerPort);
    p.put("listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
    p.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
    p.put("controller.listener.names", "CONTROLLER");
    p.put("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT");
    p.put("log.dirs", folder.resolve("log").toString());
    p.put("auto.create.topics.enable", "false");
    p.put("offsets.topic.num.partitions", "4");
    p.put("offsets.topic.replication.factor", "1");
    p.put("transaction.state.log.replication.factor", "1");
    p.put("transaction.state.log.min.isr", "1");
    p.put("share.coordinator.state.topic.replication.factor", "1");
    p.put("share.coordinator.state.topic.min.isr", "1");
    p.put("group.initial.rebalance.delay.ms", "0");
    p.put("group.min.session.timeout.ms", "500");
    p.put("log.retention.ms", "-1");
    if (args.length > 3) {
      secure(p, folder, args);
    }
    Path properties = folder.resolve("server.properties");
    try (var out = Files.newOutputStream(properties)) {
      p.store(out, null);
    }
    String[] format = {
      "format", "--standalone", "-t", Uuid.randomUuid().toString(), "-c", properties.toString()
    };
    int status = kafka.tools.StorageTool.execute(format, System.out);
    if (status != 0) {
      throw new IOException("formatting the storage ended with status " + status);
    }
    new kafka.server.KafkaRaftServer(kafka.server.KafkaConfig.fromProps(p), Time.SYSTEM).startup();
  }

  /** Four listeners more: TLS, TLS with certificates of clients, passwords, and tokens that nobody signed. */
  private static void secure(Properties p, Path folder, String[] args) {
    String[] names = {"TLS", "MTLS", "SCRAM", "OAUTH"};
    String[] protocols = {"SSL", "SSL", "SASL_SSL", "SASL_SSL"};
    for (int i = 0; i < names.length; i++) {
      String at = "," + names[i] + "://127.0.0.1:" + args[3 + i];
      p.merge("listeners", at, (before, more) -> before + "" + more);
      p.merge("advertised.listeners", at, (before, more) -> before + "" + more);
      p.merge("listener.security.protocol.map", "," + names[i] + ":" + protocols[i], (a, b) -> a + "" + b);
    }
    p.put("inter.broker.listener.name", "PLAINTEXT");
    p.put("ssl.keystore.type", "PEM");
    p.put("ssl.keystore.location", folder.resolve("broker.pem").toString());
    p.put("ssl.truststore.type", "PEM");
    p.put("ssl.truststore.location", folder.resolve("ca.pem").toString());
    p.put("listener.name.mtls.ssl.client.auth", "required");
    p.put("sasl.enabled.mechanisms", "SCRAM-SHA-512,OAUTHBEARER");
    p.put("listener.name.scram.sasl.enabled.mechanisms", "SCRAM-SHA-512");
    p.put("listener.name.scram.scram-sha-512.sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required;");
    p.put("listener.name.oauth.sasl.enabled.mechanisms", "OAUTHBEARER");
    p.put("listener.name.oauth.oauthbearer.sasl.jaas.config",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
            + " unsecuredLoginStringClaim_sub=\"broker\";");
  }

  private static void serve(Admin admin, PrintStream answers) throws IOException {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      try {
        answers.println("ok " + answer(admin, line.split(" ")));
      } catch (Exception error) {
        answers.println("error " + error.toString().replace('\n', ' '));
      }
    }
  }

  private static Object answer(Admin admin, String[] command) throws Exception {
    switch (command[0]) {
      case "create": // TOPIC PARTITIONS
        var topic = new NewTopic(command[1], Integer.parseInt(command[2]), (short) 1);
        admin.createTopics(List.of(topic)).all().get(TIMEOUT_S, TimeUnit.SECONDS);
        return command[1];
      case "user": // NAME PASSWORD
        var scram = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096);
        var user = new UserScramCredentialUpsertion(command[1], scram, command[2]);
        admin.alterUserScramCredentials(List.of(user)).all().get(TIMEOUT_S, TimeUnit.SECONDS);
        return command[1];
      case "delete": // TOPIC
        admin.deleteTopics(List.of(command[1])).all().get(TIMEOUT_S, TimeUnit.SECONDS);
        return command[1];
      case "messages": // TOPIC: messages it holds
        return sum(offsets(admin, command[1], OffsetSpec.latest()))
            - sum(offsets(admin, command[1], OffsetSpec.earliest()));
      case "lag": // GROUP TOPIC: messages that the group has not committed
        return lag(admin, command[1], command[2]);
      case "members": // GROUP: members with at least one partition
        return members(admin, command[1]);
      default:
        throw new IllegalArgumentException("no such command: " + command[0]);
    }
  }

  private static long members(Admin admin, String group) throws Exception {
    try {
      return admin.describeConsumerGroups(List.of(group)).all().get(TIMEOUT_S, TimeUnit.SECONDS)
          .get(group).members().stream()
          .filter(member -> !member.assignment().topicPartitions().isEmpty()).count();
    } catch (ExecutionException error) {
      if (error.getCause() instanceof GroupIdNotFoundException) {
        return 0;
      }
      throw error;
    }
  }

  private static long lag(Admin admin, String group, String topic) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(group)
        .partitionsToOffsetAndMetadata().get(TIMEOUT_S, TimeUnit.SECONDS);
    Map<TopicPartition, Long> starts = offsets(admin, topic, OffsetSpec.earliest());
    long lag = 0;
    for (var end : offsets(admin, topic, OffsetSpec.latest()).entrySet()) {
      OffsetAndMetadata at = committed.get(end.getKey());
      lag += end.getValue() - (at == null ? starts.get(end.getKey()) : at.offset());
    }
    return lag;
  }

  /** Asks until the broker has heard of the topic, which the controller answers for a little earlier. */
  private static Map<TopicPartition, Long> offsets(Admin admin, String topic, OffsetSpec which) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
    while (true) {
      try {
        return offsetsNow(admin, topic, which);
      } catch (ExecutionException error) {
        boolean isNew = error.getCause() instanceof UnknownTopicOrPartitionException;
        if (!isNew || System.nanoTime() > deadline) {
          throw error;
        }
      }
    }
  }

  private static Map<TopicPartition, Long> offsetsNow(Admin admin, String topic, OffsetSpec which) throws Exception {
    var description = admin.describeTopics(List.of(topic)).allTopicNames().get(TIMEOUT_S, TimeUnit.SECONDS);
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (var partition : description.get(topic).partitions()) {
      asked.put(new TopicPartition(topic, partition.partition()), which);
    }
    Map<TopicPartition, Long> found = new HashMap<>();
    admin.listOffsets(asked).all().get(TIMEOUT_S, TimeUnit.SECONDS)
        .forEach((partition, offset) -> found.put(partition, offset.offset()));
    return found;
  }

  private static long sum(Map<TopicPartition, Long> offsets) {
    return offsets.values().stream().mapToLong(Long::longValue).sum();
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    }
  }
}
