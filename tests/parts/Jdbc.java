import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.Properties;

/** pgjdbc as a client: metadata, values in both formats, rows by and by; prints what it got, a line each. */
public final class Jdbc {
    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", "anybody");
        // Statements are prepared from the first time on, and answered in binary.
        properties.setProperty("prepareThreshold", "-1");
        String url = "jdbc:postgresql://127.0.0.1:" + args[0] + "/floodmark";
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            DatabaseMetaData meta = connection.getMetaData();
            say("product", meta.getDatabaseProductName() + " " + meta.getDatabaseMajorVersion());
            StringBuilder names = new StringBuilder();
            try (ResultSet rows = meta.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"})) {
                while (rows.next()) {
                    names.append(rows.getString("TABLE_NAME")).append(':').append(rows.getString("TABLE_TYPE")).append(' ');
                }
            }
            say("tables", names.toString().trim());
            int columns = 0;
            String first = "";
            try (ResultSet rows = meta.getColumns(null, "public", "requests", "%")) {
                while (rows.next()) {
                    columns++;
                    if (rows.getString("COLUMN_NAME").equals("ts")) {
                        first = rows.getString("TYPE_NAME") + " " + rows.getInt("ORDINAL_POSITION") + " " + rows.getInt("NULLABLE");
                    }
                }
            }
            say("columns", columns + " " + first);
            int schemas = 0;
            try (ResultSet rows = meta.getSchemas()) {
                while (rows.next()) {
                    schemas++;
                }
            }
            say("schemas", Integer.toString(schemas));
            say("keys", Boolean.toString(meta.getPrimaryKeys(null, "public", "requests").next()));
            say("foreign", Boolean.toString(meta.getImportedKeys(null, "public", "requests").next()));
            say("indexes", Boolean.toString(meta.getIndexInfo(null, "public", "requests", false, true).next()));
            say("types", Boolean.toString(meta.getTypeInfo().next()));
            String sql = "SELECT ts, client_ip, status, topic_offset, malformed FROM requests WHERE ts > ? AND status = ? ORDER BY ts, topic_offset LIMIT 1";
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setTimestamp(1, Timestamp.valueOf("2026-01-01 00:00:00"));
                statement.setInt(2, 200);
                for (int times = 0; times < 3; times++) {
                    try (ResultSet rows = statement.executeQuery()) {
                        rows.next();
                        say("row", rows.getTimestamp(1).toInstant() + " " + rows.getString(2) + " " + rows.getInt(3)
                            + " " + rows.getLong(4) + " " + rows.getBoolean(5));
                    }
                }
            }
            try (ResultSet rows = connection.createStatement().executeQuery("SELECT sources FROM attacks WHERE source_count > 1 LIMIT 1")) {
                rows.next();
                say("list", Boolean.toString(((String[]) rows.getArray(1).getArray()).length > 0));
            }
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                statement.setFetchSize(500);
                int taken = 0;
                try (ResultSet rows = statement.executeQuery("SELECT path FROM requests LIMIT 5000")) {
                    while (rows.next()) {
                        taken++;
                    }
                }
                say("by and by", Integer.toString(taken));
            }
            connection.rollback();
            connection.setAutoCommit(true);
            try {
                connection.createStatement().executeQuery("SELECT nothing FROM requests");
            } catch (SQLException error) {
                say("code", error.getSQLState());
            }
        }
    }

    private static void say(String name, String value) {
        System.out.println(name + "=" + value);
    }
}
