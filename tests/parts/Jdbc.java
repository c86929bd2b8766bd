import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.Properties;

/**
 * A driver of JDBC as a client: metadata, values, rows; prints what it got, a line each.
 *
 * <p>{@code Jdbc postgres PORT}: pgjdbc, whose statements are prepared from the first time on and answered in binary.
 * {@code Jdbc flight PORT}: the driver of Arrow Flight SQL, with the name and password that tools send unasked.
 */
public final class Jdbc {
    public static void main(String[] args) throws Exception {
        boolean isPostgres = args[0].equals("postgres");
        Properties properties = new Properties();
        properties.setProperty("user", "anybody");
        if (isPostgres) {
            properties.setProperty("prepareThreshold", "-1");
        } else {
            properties.setProperty("password", "anything");
            properties.setProperty("useEncryption", "false");
        }
        String place = "127.0.0.1:" + args[1];
        String url = isPostgres ? "jdbc:postgresql://" + place + "/floodmark" : "jdbc:arrow-flight-sql://" + place;
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            metadata(connection.getMetaData());
            rows(connection);
            if (isPostgres) {
                ofPostgres(connection);
            }
            wrong(connection, "SELECT nothing FROM requests", "no column `nothing`");
            wrong(connection, "DELETE FROM requests", "DELETE is refused");
        }
    }

    private static void metadata(DatabaseMetaData meta) throws SQLException {
        say("product", meta.getDatabaseProductName() + " " + meta.getDatabaseProductVersion());
        say("quote", meta.getIdentifierQuoteString());
        StringBuilder names = new StringBuilder();
        try (ResultSet rows = meta.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"})) {
            while (rows.next()) {
                names.append(rows.getString("TABLE_NAME")).append(':').append(rows.getString("TABLE_TYPE")).append(' ');
            }
        }
        say("tables", names.toString().trim());
        String first = "";
        int columns = 0;
        try (ResultSet rows = meta.getColumns("floodmark", "public", "requests", "%")) {
            for (; rows.next(); columns++) {
                if (rows.getString("COLUMN_NAME").equals("ts")) {
                    first = rows.getString("TYPE_NAME") + " " + rows.getInt("ORDINAL_POSITION") + " " + rows.getString("REMARKS");
                }
            }
        }
        say("columns", columns + " " + first);
        say("schemas", Integer.toString(count(meta.getSchemas())));
        say("keys", Integer.toString(count(meta.getPrimaryKeys(null, "public", "requests"))));
        say("foreign", Integer.toString(count(meta.getImportedKeys(null, "public", "requests"))));
    }

    private static void rows(Connection connection) throws SQLException {
        String sql = "SELECT ts, client_ip, status, topic_offset, malformed FROM \"floodmark\".\"public\".\"requests\" "
            + "WHERE ts > ? AND status = ? AND path <> ? ORDER BY ts, topic_offset LIMIT 1";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setTimestamp(1, Timestamp.valueOf("2026-01-01 00:00:00"));
            statement.setInt(2, 200);
            statement.setString(3, "'; DROP");
            for (int times = 0; times < 3; times++) {
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    say("row", rows.getTimestamp(1).toInstant() + " " + rows.getString(2) + " " + rows.getInt(3)
                        + " " + rows.getLong(4) + " " + rows.getBoolean(5));
                }
            }
        }
        try (var statement = connection.createStatement()) {
            try (ResultSet rows = statement.executeQuery("SELECT sources FROM attacks WHERE source_count > 1 LIMIT 1")) {
                rows.next();
                say("list", Boolean.toString(((Object[]) rows.getArray(1).getArray()).length > 0));
            }
            say("has rows", Boolean.toString(statement.execute("SELECT 1")));
            say("rows", Integer.toString(count(statement.executeQuery("SELECT path FROM requests LIMIT 5000"))));
        }
    }

    /** What the other driver has not: indexes, types, and rows by hundreds, as a cursor gives them. */
    private static void ofPostgres(Connection connection) throws SQLException {
        DatabaseMetaData meta = connection.getMetaData();
        say("indexes", Integer.toString(count(meta.getIndexInfo(null, "public", "requests", false, true))));
        say("types", Boolean.toString(count(meta.getTypeInfo()) > 0));
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            statement.setFetchSize(500);
            say("by and by", Integer.toString(count(statement.executeQuery("SELECT path FROM requests LIMIT 5000"))));
        }
        connection.rollback();
        connection.setAutoCommit(true);
    }

    private static void wrong(Connection connection, String sql, String told) throws SQLException {
        try (var statement = connection.createStatement()) {
            say("wrong", Integer.toString(count(statement.executeQuery(sql))));
        } catch (SQLException error) {
            say("wrong", error.getSQLState() + " " + error.getMessage().contains(told));
        }
    }

    private static int count(ResultSet rows) throws SQLException {
        int count = 0;
        try (rows) {
            while (rows.next()) {
                count++;
            }
        }
        return count;
    }

    private static void say(String name, String value) {
        System.out.println(name + "=" + value);
    }
}
